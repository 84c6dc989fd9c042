"""Copying between two registries: what is under a tag is whole at every moment, and each byte is checked."""
