"""Proof that what a registry is to keep is all there: every tag, or a sample, down to each blob or to each byte."""
