"""The registries we know: their rows, encrypted credentials, what they can do, and the client for each."""
