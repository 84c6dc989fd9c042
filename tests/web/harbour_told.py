"""What the registry told of the harbour, and what a scan found there: an entry of every act that there is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from audit.models import Entry
from audit.services import record
from catalog.models import Presence, PullDay, PushDay, Repository, Tag
from tests.web import furniture as make

_ACT = Entry.Act
_BY_SCANS = frozenset({_ACT.CHANGE, _ACT.GAP})


def build(api: Repository) -> None:
    """Each once, and some as they come in other shapes; the latest are of the tag that the walk looks at."""
    lead = Tag.objects.select_related("presence__manifest").get(repository=api, name="1.27.3").presence
    assert lead is not None
    other = api.presences.tagged().exclude(pk=lead.pk).select_related("manifest")[0]
    new, old, tag = lead.manifest.digest, other.manifest.digest, {"tag": "1.27.3"}
    shapes: list[tuple[str, dict[str, Any]]] = [
        *((act, tag) for act in _ACT if act not in _BY_SCANS),
        (_ACT.MOUNT, {"count": 3, "from_repository": "base/python", "actor": "ci-platform"}),
        (_ACT.DELETE_MANIFEST, {"digest_before": old, "actor": ""}),
        (_ACT.CHANGE, {"digest_before": "", "digest_after": new, "tag": "1.27"}),
        (_ACT.CHANGE, {"digest_before": old, "digest_after": "", "tag": "old"}),
        (_ACT.CHANGE, {"digest_before": old, "digest_after": new, "tag": "nightly"}),
        (_ACT.CHANGE, {"count": 212}),
        (_ACT.GAP, {"repository": "", "detail": "the registry was started anew in between"}),
        (_ACT.PUSH, {"repository": "Not/a Name", "tag": "<b>bold</b>", "user_agent": "x" * 200, "actor": "y" * 90}),
        (_ACT.PUSH, {"tag": "latest", "digest_after": new, "claimed_at": timezone.now() - timedelta(hours=3)}),
        (_ACT.MOVE, {**tag, "digest_before": old, "digest_after": new}),
        (_ACT.PULL, {**tag, "digest_after": new, "actor": "deploy"}),
        (_ACT.PULL, {"digest_after": new, "count": 12, "actor": "", "since": timezone.now() - timedelta(days=1)}),
    ]
    for place, (presence, pulls) in enumerate(((lead, 3204), (other, 41))):
        Presence.objects.filter(pk=presence.pk).update(pulls=pulls, pulled=timezone.now() - timedelta(hours=place))
        for days in range(0, 30, 1 + 3 * place):
            when = timezone.now() - timedelta(days=days)
            PullDay.objects.create(presence=presence, day=when.date(), pulls=1 + pulls * (30 - days) % 97, last_at=when)
    _pushes()
    record(_entry(api, number, act, said) for number, (act, said) in enumerate(shapes))


def _pushes() -> None:
    """To most repositories, of which the newest image says who did it last; some were quiet of late."""
    for number, repository in enumerate(Repository.objects.exclude(newest=None).order_by("pk")):
        for days in range(0, 14 - number % 4, 1 + number % 3):
            when = timezone.now() - timedelta(days=days)
            pushes = 1 + (number * 7 + days * 5) % 13
            PushDay.objects.create(repository=repository, day=when.date(), pushes=pushes)
        who = ("ci-bot", "jonas.oyelaran", "Tove Kallas", "x" * 90, "")[number % 5]
        newest = Presence.objects.filter(pk__in=[repository.newest_id])
        newest.update(dated_by=Presence.DatedBy.TOLD, dated=repository.changed_at, pushed_by=who)


def _entry(api: Repository, number: int, act: str, said: dict[str, Any]) -> Entry:
    is_found = act in _BY_SCANS
    claims = {"actor": "ci-platform", "address": "10.4.0.12", "user_agent": "docker/28.1.1 go/go1.24.2"}
    return Entry(
        **{
            "key": f"told-{number}-{make.digest_of(act.encode())[7:19]}",
            "act": act,
            "outcome": Entry.Outcome.DONE,
            "source": Entry.Source.SCAN if is_found else Entry.Source.EVENT,
            "registry": api.registry.name,
            "registry_id": api.registry_id,
            "repository": api.name,
            **({"since": timezone.now() - timedelta(minutes=15)} if is_found else claims),
            **said,
        }
    )
