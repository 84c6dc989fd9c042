"""The command lines that pages give people to copy: one noun a module, no page and no query in them."""
