"""What the handling of events passes on: an event with where and when it came in, and who is behind it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from audit.models import Entry
from oci.events import Event
from oci.names import RepositoryName
from registries.models import Registry

_AHEAD: Final = timedelta(minutes=1)  # by so much a registry's clock may differ and be believed
_BEHIND: Final = timedelta(days=7)  # for so long a registry may have kept it


@dataclass(frozen=True)
class Told:
    """An event of a registry that we know, which names a repository."""

    registry: Registry
    delivery_id: int
    received_at: datetime
    event: Event
    repository: RepositoryName

    @property
    def registry_id(self) -> int:
        return int(self.registry.pk)

    @property
    def digest(self) -> str:
        return str(self.event.digest or "")

    @property
    def tag(self) -> str:
        return self.event.tag or ""

    @cached_property
    def moment(self) -> datetime:
        """When it happened: as claimed, where that can be, else when it came in."""
        claimed = self.event.at
        if claimed is None or claimed < self.received_at - _BEHIND or is_ahead(claimed, self.received_at):
            return self.received_at
        return min(claimed, self.received_at)

    @property
    def order(self) -> tuple[datetime, int]:
        return self.moment, self.delivery_id

    @cached_property
    def caller(self) -> str:
        """The same for what one client does: all that is claimed of it, in one word."""
        claimed = f"{self.event.actor}\n{self.event.address}\n{self.event.user_agent}"
        return hashlib.sha256(claimed.encode()).hexdigest()

    @property
    def key(self) -> str:
        """Of its entry."""
        return f"event:{hashlib.sha256(f'{self.registry_id}:{self.event.id}'.encode()).hexdigest()[:48]}"

    def entry(self, act: Entry.Act, at: datetime, **more: Any) -> Entry:
        return entry_of(self.claims(), act, at, **more)

    def claims(self) -> dict[str, Any]:
        """What an entry says of it, as plain values that JSON can hold."""
        event = self.event
        return {
            "key": self.key,
            "registry": self.registry.name,
            "registry_id": self.registry_id,
            "repository": self.repository,
            "tag": self.tag,
            "digest_after": self.digest,
            "actor": event.actor,
            "address": event.address,
            "user_agent": event.user_agent,
            "claimed_at": event.at.isoformat() if event.at else None,
            "event_id": event.id,
        }


def is_ahead(claimed: datetime, known: datetime) -> bool:
    """Whether it cannot have happened so late, since we know of it since `known`."""
    return claimed > known + _AHEAD


def entry_of(claims: dict[str, Any], act: Entry.Act, at: datetime, **more: Any) -> Entry:
    """The entry of what `Told.claims` said, then or now."""
    claimed = claims["claimed_at"]
    said = {**claims, "claimed_at": datetime.fromisoformat(claimed) if claimed else None, **more}
    return Entry(source=Entry.Source.EVENT, outcome=Entry.Outcome.DONE, act=act, at=at, **said)
