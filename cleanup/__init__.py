"""Retention and garbage collection: what may go is planned with its reasons, and then exactly that is carried out."""
