"""The checks: pure functions from facts to findings, one package per section."""
