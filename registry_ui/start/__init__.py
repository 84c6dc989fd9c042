"""The start behind `./run`: everything Berth needs, started in order, watched, and ended together.

errors → options, machine, mode → lock, keys → sweeping → environment → lines, journal, signals, supervisor
  → valkey, registry, services → sequence
"""

from __future__ import annotations
