"""The certificates and keys of the engine and of its clients."""
