"""What can be known about a host: one module per subject, each a frozen record and its pure ``parse``."""
