"""Checks of the host that the engine runs on."""
