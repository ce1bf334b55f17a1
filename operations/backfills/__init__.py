"""Backfills of the fleet: started, admitted a few at a time, paused, watched. See ADR 0026."""
