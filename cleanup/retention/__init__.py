"""Retention: rules that say which tags may go, the plan that explains them, and carrying out exactly that."""
