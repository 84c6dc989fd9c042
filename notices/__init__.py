"""What others are told: webhooks and mails about chosen things, at least once, with a log of how each was taken."""
