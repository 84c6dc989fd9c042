"""A real registry whose tellings a test hears, hands in when it wants to, and has handled in its own process."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from audit import inbox
from audit.models import Delivery, Entry, EventStream, Quarantined
from catalog.arrivals.handling import Handling
from catalog.arrivals.serving import KIND
from catalog.models import Presence, Repository, Tag
from jobs import resident
from jobs.models import Job
from registries.models import Registry
from tests.ear import Ear
from tests.pushing import OCI_INDEX, OCI_MANIFEST, Pusher
from tests.real_registry import PASSWORD, USERNAME, RealRegistry

_BARRIER = "test/barrier"
_NUMBERS = count()


@contextmanager
def handling() -> Iterator[Handling]:
    lease = resident.take(KIND)
    assert lease is not None
    at_work = Handling(lease)
    try:
        yield at_work
    finally:
        at_work.close()
        lease.end(Job.State.DONE, "")


def handle_all() -> None:
    with handling() as at_work:
        while at_work.some():
            pass


def hand_in(row: Registry, bodies: Iterable[bytes]) -> None:
    for body in bodies:
        inbox.store(row.pk, body, len(body))


@dataclass
class Station:
    real: RealRegistry
    row: Registry
    ear: Ear
    authorization: dict[str, str] = field(default_factory=dict)

    def pusher(self, repository: str = "team/app", agent: str = "test-client") -> Pusher:
        return Pusher(self.real.url, repository, headers={"User-Agent": agent, **self.authorization})

    def ask(self, method: str, path: str, agent: str = "test-client") -> None:
        headers = {"User-Agent": agent, "Accept": f"{OCI_INDEX}, {OCI_MANIFEST}", **self.authorization}
        request = urllib.request.Request(f"{self.real.url}/v2/{path}", method=method, headers=headers)
        urllib.request.urlopen(request, timeout=10).close()

    def heard(self) -> list[bytes]:
        """What the registry has told since the last time."""
        agent = f"barrier-{next(_NUMBERS)}"
        self.pusher(_BARRIER, agent="barrier").image("1")
        self.ask("HEAD", f"{_BARRIER}/manifests/1", agent=agent)
        return [body for body in self.ear.take(agent) if _BARRIER not in body.decode()]

    def arrive(self) -> None:
        """All that was told comes in and is handled."""
        hand_in(self.row, self.heard())
        handle_all()
        assert not Delivery.objects.exists()
        assert not [str(part) for part in Quarantined.objects.all()]

    # -- what came of it ------------------------------------------------------

    def story(self) -> list[tuple[str, str]]:
        """Act and tag of each entry, the oldest first."""
        return [(entry.act, entry.tag) for entry in Entry.objects.order_by("id")]

    def tags(self, repository: str = "team/app") -> dict[str, str]:
        """The live tags that the catalog shows, with their digests."""
        rows = Tag.objects.live().filter(repository__registry=self.row, repository__name=repository)
        return dict(rows.values_list("name", "presence__manifest__digest"))

    def repository(self, name: str = "team/app") -> Repository:
        return Repository.objects.get(registry=self.row, name=name)

    def presence(self, digest: str, repository: str = "team/app") -> Presence:
        return Presence.objects.get(repository=self.repository(repository), manifest__digest=digest)

    def stream(self) -> EventStream:
        return EventStream.objects.get(registry_id=self.row.pk)


def basic(name: str = USERNAME, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def changed(body: bytes, **changes: Any) -> bytes:
    """The envelope with these fields of its first event changed."""
    document = json.loads(body)
    document["events"][0] |= changes
    return json.dumps(document).encode()
