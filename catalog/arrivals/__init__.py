"""What an event means: for the catalog, which reads what it is told of, and for the audit, which records it."""
