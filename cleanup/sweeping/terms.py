"""What an admin says of a registry so that it can be swept while it runs: kept only when it makes sense."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from audit.models import Entry
from audit.services import record
from cleanup.models import SweepTerms
from cleanup.models.sweeps import DAY, MINUTE
from cleanup.sweeping.ground import terms_of
from jobs.schedule import InvalidSchedule, Schedule, When
from tagging.permission import check_may_act

if TYPE_CHECKING:
    from access.models import User
    from registries.models import Registry

LEAST_GRACE: Final = 3600  # seconds: pushes rest, and are tried again
MOST_GRACE: Final = 366 * DAY
MOST_SETTLE: Final = 3600
MOST_HOLD: Final = 90 * DAY
LONGEST_URL: Final = 500
_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})
_OF_SCHEDULE: Final = ("when", "every", "cron", "zone", "window")
_GRACE: Final = gettext_noop("From an hour to a year.")
_SETTLE: Final = gettext_noop("At most an hour.")
_HOLD: Final = gettext_noop("At most 90 days.")
_NO_ADDRESS: Final = gettext_noop("Its address is needed: what is swept has to be forgotten there too.")
_NO_URL: Final = gettext_noop("An address as in redis://host:6379/0, with user:password@ before the host if need be.")
_NO_SCHEDULE: Final = gettext_noop("This cannot be understood.")
_LACKS_FOLDER: Final = gettext_noop(
    "Berth does not know its storage folder. Without it garbage is collected by commands, while the registry is"
    " read-only."
)
_LACKS_PROCESSES: Final = gettext_noop("Nobody has said yet how many processes of the registry serve its storage.")
_LACKS_SHARED: Final = gettext_noop(
    "Several processes serve its storage, and each may remember blobs by itself: that is only safe with one cache in"
    " Redis, or with none."
)
_LACKS_ADDRESS: Final = gettext_noop("Its cache is in Redis, and nobody has said where.")
SENTENCES: Final = (
    _GRACE,
    _SETTLE,
    _HOLD,
    _NO_ADDRESS,
    _NO_URL,
    _NO_SCHEDULE,
    _LACKS_FOLDER,
    _LACKS_PROCESSES,
    _LACKS_SHARED,
    _LACKS_ADDRESS,
)


class InvalidTerms(ValueError):  # noqa: N818  it says what is not one
    """The sentence says why `field` cannot be so, for people."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Details:
    """As the columns of `SweepTerms`; a `redis_url` of None keeps the one that is stored."""

    processes: str
    cache: str
    redis_url: str | None
    grace_seconds: int = DAY
    settle_seconds: int = MINUTE
    hold_seconds: int = DAY
    schedule: Schedule = field(default_factory=Schedule)


def save(registry: Registry, details: Details, person: User | None) -> SweepTerms:
    """Raises NotPermitted, and InvalidTerms, whose `field` is that of the details or of their schedule."""
    if person is not None:
        check_may_act(person, registry)
    before = terms_of(registry)
    url = before.redis_url if details.redis_url is None else details.redis_url
    _check(details, url)
    due = details.schedule
    terms = SweepTerms(
        registry=registry,
        processes=details.processes,
        cache=details.cache,
        redis_url=url if details.cache == SweepTerms.Cache.REDIS else "",
        grace_seconds=details.grace_seconds,
        settle_seconds=details.settle_seconds,
        hold_seconds=details.hold_seconds,
        when=due.when.value,
        every=due.every if due.when is When.EVERY else 0,
        cron=due.cron if due.when is When.CRON else "",
        zone=due.zone,
        window=due.window,
        next_at=due.next_after(timezone.now()),
    )
    with transaction.atomic():
        terms.save()
        if _has_changed(before, terms):
            record([_entry(registry, person)])
    return terms


def lacks(registry: Registry, terms: SweepTerms) -> str:
    """Why it cannot be swept while it runs, as far as Berth knows without asking it; nothing where it may be tried."""
    if not registry.storage:
        return _LACKS_FOLDER
    if terms.processes == SweepTerms.Processes.UNSAID:
        return _LACKS_PROCESSES
    is_shared = terms.cache in {SweepTerms.Cache.NONE, SweepTerms.Cache.REDIS}
    if terms.processes == SweepTerms.Processes.SEVERAL and not is_shared:
        return _LACKS_SHARED
    return _LACKS_ADDRESS if terms.cache == SweepTerms.Cache.REDIS and not terms.redis_url else ""


def _check(details: Details, url: str) -> None:
    if not LEAST_GRACE <= details.grace_seconds <= MOST_GRACE:
        raise InvalidTerms("grace_seconds", _GRACE)
    if not 0 <= details.settle_seconds <= MOST_SETTLE:
        raise InvalidTerms("settle_seconds", _SETTLE)
    if not 0 <= details.hold_seconds <= MOST_HOLD:
        raise InvalidTerms("hold_seconds", _HOLD)
    if details.cache == SweepTerms.Cache.REDIS:
        _check_url(url)
    try:
        if details.schedule.when is When.EVENT:
            raise InvalidTerms("when", _NO_SCHEDULE)
        details.schedule.check()
    except InvalidSchedule as error:
        raise InvalidTerms(error.field, _NO_SCHEDULE) from error


def _check_url(url: str) -> None:
    if not url:
        raise InvalidTerms("redis_url", _NO_ADDRESS)
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in _SCHEMES and bool(parts.path if parts.scheme == "unix" else parts.hostname)
        _ = parts.port
    except ValueError:
        is_one = False
    if not is_one or len(url) > LONGEST_URL or not url.isprintable():
        raise InvalidTerms("redis_url", _NO_URL)


def _has_changed(before: SweepTerms, now: SweepTerms) -> bool:
    names = ("processes", "cache", "redis_url", "grace_seconds", "settle_seconds", "hold_seconds", *_OF_SCHEDULE)
    return any(getattr(before, name) != getattr(now, name) for name in names)


def _entry(registry: Registry, person: User | None) -> Entry:
    return Entry(
        key=f"sweep-terms:{uuid.uuid4().hex}",
        act=Entry.Act.REGISTRY_CHANGE,
        outcome=Entry.Outcome.DONE,
        actor=str(person or ""),
        actor_id=person.pk if person else None,
        registry=registry.name,
        registry_id=registry.pk,
        detail="sweep_terms",
    )
