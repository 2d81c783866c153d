"""How the engine itself is configured."""
