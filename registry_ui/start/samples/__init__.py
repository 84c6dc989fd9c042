"""A few small real images, made here, so that an empty registry has something to look at.

Every byte is the same on every machine and in every year: fixed dates, no compressor, no randomness.
layers → documents → roots → contents → push
"""

from __future__ import annotations
