"""Rows of sync: rules, their runs with what each does to each tag, and what stands at the target because of them."""

from __future__ import annotations

from sync.models.rules import Rule
from sync.models.runs import Item, PlannedManifest, Run
from sync.models.standing import DatedImage, Synced, TagHold

__all__ = ["DatedImage", "Item", "PlannedManifest", "Rule", "Run", "Synced", "TagHold"]
