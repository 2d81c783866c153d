"""The audit engine: inventory, transports, facts, evaluation. It knows neither checks nor reports."""

__version__ = "0.1.0"
