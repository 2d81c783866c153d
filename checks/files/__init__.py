"""Owners and modes of the files that decide who controls the engine."""
