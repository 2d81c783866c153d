"""What only Windows hosts have."""
