"""Manifests that nothing reaches any more: found, planned with the reason of each, and deleted by digest."""
