"""Rules out of the files of other tools: what they say, as values of ours, and what was not taken over. Pure."""
