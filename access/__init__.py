"""Who may do what: the people, and the rules that say yes or no."""
