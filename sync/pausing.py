"""When a run begins nothing more for a while, and why: its hours are over, or what is left of a quota is for others."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_noop

from jobs.schedule import Schedule
from oci.client import RegistryClient
from oci.errors import RegistryError
from oci.names import Digest, parse_repository
from oci.transfer.heads import head
from registries.models import Registry
from sync.models import Item

_QUOTA_PAUSE: Final = 15 * 60.0  # seconds: it fills up again pull by pull
_HOURS: Final = gettext_noop("The rule keeps to its hours")
_QUOTA: Final = gettext_noop("%(name)s lets us pull %(left)s times more, which are kept for others")
SENTENCES: Final = (_HOURS, _QUOTA)


class Paused(Exception):  # noqa: N818  it says when to go on
    """Somebody wants to be left alone: go on after so many seconds; `sentence` says who, and why."""

    def __init__(self, seconds: float, sentence: str) -> None:
        super().__init__(sentence)
        self.seconds, self.sentence = seconds, sentence


def why_not_now(
    registry: Registry, source: RegistryClient, schedule: Schedule, closes_at: datetime | None
) -> Paused | None:
    """None where more may be begun; what is under way comes to its end."""
    now = timezone.now()
    if closes_at is not None and now >= closes_at:
        return until_open(schedule, now)
    quota = source.transport.quota
    if quota is not None and quota.remaining <= registry.quota_floor:
        return Paused(_QUOTA_PAUSE, _QUOTA % {"left": quota.remaining, "name": registry.name})
    return None


def until_open(schedule: Schedule, now: datetime) -> Paused:
    """Until its hours begin."""
    return Paused((schedule.opens_after(now) - now).total_seconds(), _HOURS)


def room_for(most: int, under_way: int, registry: Registry, source: RegistryClient) -> int:
    """How many of `most` may be begun now; half of them together, and no more than may be pulled, by one each."""
    room, quota = most - under_way, source.transport.quota
    if room < most // 2:
        return 0
    return room if quota is None else min(room, quota.remaining - registry.quota_floor - under_way)


def ask_for_quota(source: RegistryClient, item: Item) -> None:
    """Of a source that counts pulls, before any is made: whoever goes on knows what was left when it stopped."""
    if source.transport.quota is None:
        with suppress(RegistryError):
            head(source, parse_repository(item.source_repository), Digest.parse(item.digest))
