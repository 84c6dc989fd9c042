"""Images copied in from other registries: which, when, at what cost, and what came of it."""
