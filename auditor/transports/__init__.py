"""How to get to a host and bring its bundle back: one module per way, all of the shape in ``base``."""
