"""Checks of Windows hosts only."""
