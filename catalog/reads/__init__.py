"""What pages ask of the catalog: lists by key, an image with all that belongs to it, totals."""
