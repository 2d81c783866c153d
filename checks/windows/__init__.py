"""Windows itself and what only Windows has."""
