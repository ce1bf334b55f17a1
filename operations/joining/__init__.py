"""Rows of one organisation that become another one's: what merging and splitting have in common."""
