"""Removing blobs that nothing refers to, while the registry runs.

mark → unlink through the API → move the data aside → mark again after a wait → put back what is referred to now → and
only when the holding time is over, delete the rest. Each step is a row before it is done, so whoever is killed is
followed by one who finds out, from the storage itself, what is in use.
"""
