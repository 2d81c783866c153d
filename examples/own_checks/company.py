"""What the checks here agree on. A file without a check may stand beside them."""

TEAMS = ("shop", "data", "platform")
