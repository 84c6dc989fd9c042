"""The start behind `./run`: everything Berth needs, started in order, watched, and ended together.

errors → options → lock, keys → environment → leash, journal, supervisor
  → valkey, registry, services → sequence
"""

from __future__ import annotations
