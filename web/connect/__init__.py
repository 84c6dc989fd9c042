"""What a client has to be told before it pulls from a registry, and pushes to it: the page Connect a client."""
