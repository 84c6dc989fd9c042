"""What was read, into rows: content, presences, tags, dates, repositories, in short transactions."""
