"""What a deletion would free: counted where the storage figures are."""

from __future__ import annotations

from catalog.freeing import Freed, freed_by

__all__ = ["Freed", "freed_by"]
