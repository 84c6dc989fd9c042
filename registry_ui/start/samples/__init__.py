"""A few small real images, made here, so that an empty registry has something to look at.

Every byte is the same on every machine and in every year: fixed dates, no compressor, no randomness.
layers → documents → roots → contents → push
"""

from __future__ import annotations

from typing import Final

# What stands in the marker file while the samples are being pushed, and for ever after.
BEGUN: Final = "being pushed\n"
DONE: Final = "pushed\n"
