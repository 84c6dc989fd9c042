"""The registries we know: their rows, their encrypted credentials, what they can do, and the client for each."""
