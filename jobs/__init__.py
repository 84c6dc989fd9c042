"""Work that a person can watch, stop and run again.

The row is the truth: a job exists when its row is committed, a message through Redis only wakes a
worker early, and the sweep sends again what was lost. Whoever runs a job holds a lease on the row,
with a fencing number that grows at each claim, so that a holder who was frozen cannot write late.
"""
