"""Reading the audit: what may be asked of it, by which index it is found, and how it leaves as a file."""
