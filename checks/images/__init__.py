"""Images: who they run as, where they come from, how they were built."""
