"""The pages of cleanup, in words."""
