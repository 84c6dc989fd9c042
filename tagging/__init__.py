"""Acts on tags: delete one alias, retag, copy, restore, protect. Each is a stored plan that is then carried out."""
