"""Entries as what registries tell, what scans find and what Berth does leave them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from audit.models import Entry
from audit.services import record

BEGAN: Final = datetime(2026, 11, 1, tzinfo=UTC)
D1, D2, D3 = (f"sha256:{letter * 64}" for letter in "abc")
_ACTS: Final = ("pull", "pull", "pull", "push", "push-again", "move", "delete-tag", "change", "breach-move", "retag")
_NAMES: Final = ("team/app", "team/api", "team-x/api", "web/shop", "team/app/api", "team/appendix")


def told(key: str, **more: Any) -> Entry:
    """One entry; what is not said is that a registry told of a push."""
    said = {
        "act": Entry.Act.PUSH, "outcome": Entry.Outcome.DONE, "source": Entry.Source.EVENT, "actor": "ci",
        "registry": "local", "registry_id": 1, "repository": "team/app", "tag": "1.0", "digest_after": D1,
        "address": "10.0.0.7", "user_agent": "docker/28.1.1",
    }  # fmt: skip
    record([Entry(key=key, **{**said, **more})])
    return Entry.objects.get(key=key)


def many(count: int) -> None:
    """Of all sorts, the same each time, one a minute."""
    chance = random.Random(5)  # noqa: S311  nothing here is secret
    record(
        Entry(
            key=f"{number}",
            at=BEGAN + timedelta(minutes=number, seconds=chance.randrange(300)),
            act=chance.choice(_ACTS),
            outcome=chance.choice(("done", "done", "failed")),
            source=chance.choice(("event", "event", "scan", "berth")),
            actor=chance.choice(("ci-1", "ci-2", "")),
            address=chance.choice(("10.0.0.7", "10.0.0.8")),
            registry="local",
            registry_id=chance.choice((1, 1, 2)),
            repository=chance.choice(_NAMES),
            tag=chance.choice(("1.0", "2.0", "")),
            digest_before=chance.choice((D1, D2, "")),
            digest_after=chance.choice((D1, D2, D3)),
        )
        for number in range(count)
    )
