"""Leaving and coming back: exports, the end of the data, and returns."""
