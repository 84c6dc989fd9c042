"""Search: what a person typed, understood, and found in the catalog."""
