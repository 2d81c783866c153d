"""What can be known about a host: one module per subject, each a frozen dataclass and its pure ``parse``."""
