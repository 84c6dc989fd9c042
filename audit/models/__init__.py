"""The rows of the audit: entries, which stay, and the inbox, which what registries tell passes through."""

from __future__ import annotations

from audit.models.entries import AppendOnly, Entry, EntryQuerySet
from audit.models.inbox import Delivery, Quarantined, Refused
from audit.models.streams import EventStream, SeenEvent

__all__ = [
    "AppendOnly",
    "Delivery",
    "Entry",
    "EntryQuerySet",
    "EventStream",
    "Quarantined",
    "Refused",
    "SeenEvent",
]
