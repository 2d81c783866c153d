"""What piles up on a host."""
