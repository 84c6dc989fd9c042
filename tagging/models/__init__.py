"""The rows of tagging: plans with their items, what is in the trash, and which tags are protected."""

from __future__ import annotations

from tagging.models.plans import Plan, PlanItem, PlannedImage
from tagging.models.protection import BreachLook, ProtectionRule
from tagging.models.trash import KeptManifest, TrashEntry, TrashPart

__all__ = [
    "BreachLook",
    "KeptManifest",
    "Plan",
    "PlanItem",
    "PlannedImage",
    "ProtectionRule",
    "TrashEntry",
    "TrashPart",
]
