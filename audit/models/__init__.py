"""The rows of the audit: entries and the chain stay; what registries tell passes through the inbox."""

from __future__ import annotations

from audit.models.append_only import AppendOnly
from audit.models.chain import Anchor, Link, Unsealed
from audit.models.entries import Entry, EntryQuerySet
from audit.models.inbox import Delivery, Quarantined, Refused
from audit.models.streams import EventStream, SeenEvent

__all__ = [
    "Anchor",
    "AppendOnly",
    "Delivery",
    "Entry",
    "EntryQuerySet",
    "EventStream",
    "Link",
    "Quarantined",
    "Refused",
    "SeenEvent",
    "Unsealed",
]
