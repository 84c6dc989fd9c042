"""What the registries hold, as last seen: the scan that reads it, the rows, and the ways to read them."""
