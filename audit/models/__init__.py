"""The rows of the audit: entries, which stay, and the inbox, which what registries tell passes through."""

from __future__ import annotations

from audit.models.entries import AppendOnly, Entry, EntryQuerySet
from audit.models.inbox import Delivery, Refused

__all__ = ["AppendOnly", "Delivery", "Entry", "EntryQuerySet", "Refused"]
