"""Checks of an imaginary company, to start your own from: ``auditor run --checks examples/own_checks``."""
