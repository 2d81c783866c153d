"""The left half: scripts that run on a host, the live probe, and the bundle that holds the answers."""
