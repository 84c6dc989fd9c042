"""Whether what the catalog holds may be acted on: nothing is deleted because of what could not be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Repository, Scan
from jobs.running import JobFailed
from oci import routes
from oci.client import RegistryClient
from oci.errors import RegistryError
from registries.models import Registry

OLDEST: Final = timedelta(hours=48)  # of the scan that a plan rests on
SKEW: Final = timedelta(minutes=5)  # by which our clock and that of the registry may differ
_UNSCANNED: Final = gettext_noop("There is no complete scan of the registry yet: nothing can be planned.")
_OLD: Final = gettext_noop("The last complete scan of the registry ended more than %(hours)s hours ago: scan it first.")
_FUTURE: Final = gettext_noop("The last scan of the registry ended in the future: a clock was put back.")
_CLOCK: Final = gettext_noop(
    "The clock of the registry and that of Berth differ by %(minutes)s minutes: what is old by the one may be new by"
    " the other. Set them right first."
)
_NO_CLOCK: Final = gettext_noop("The registry does not say what time it is, so nobody knows what is old.")
_AWAY: Final = gettext_noop("The registry cannot be asked, and nothing was changed: %(why)s.")
_RETIRED: Final = gettext_noop("The registry was removed from Berth: nothing was changed.")
_GONE: Final = gettext_noop("the repository is gone")
_NOT_READ: Final = gettext_noop("its last scan could not read it: %(why)s")
_NEW: Final = gettext_noop("no scan has read it to its end yet")
_UNSETTLED: Final = gettext_noop("a scan has written in it and not come to its end since")
_MISSED: Final = gettext_noop("the registry did not list it lately")
SENTENCES: Final = (
    *(_UNSCANNED, _OLD, _FUTURE, _CLOCK, _NO_CLOCK, _AWAY, _RETIRED),
    *(_GONE, _NOT_READ, _NEW, _UNSETTLED, _MISSED),
)


def check_catalog(registry: Registry, now: datetime) -> None:
    """Raises JobFailed where nothing of the registry's catalog is to be trusted."""
    if Registry.objects.active().filter(pk=registry.pk).first() is None:
        raise JobFailed(_RETIRED)
    scan = Scan.objects.complete().filter(registry=registry, finished_at__isnull=False).newest_first().first()
    if scan is None or scan.finished_at is None:
        raise JobFailed(_UNSCANNED)
    if scan.finished_at < now - OLDEST:
        raise JobFailed(_OLD % {"hours": int(OLDEST.total_seconds() // 3600)})
    if scan.finished_at > now + SKEW:
        raise JobFailed(_FUTURE)


def check_clock(client: RegistryClient) -> None:
    """Raises JobFailed where the registry's clock is not ours."""
    try:
        answer = client.transport.exchange("GET", routes.BASE)
    except RegistryError as error:
        raise JobFailed(_AWAY % {"why": str(error).rstrip(".")}) from error
    try:
        theirs = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        raise JobFailed(_NO_CLOCK) from None
    apart = abs(timezone.now() - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)))
    if apart > SKEW:
        raise JobFailed(_CLOCK % {"minutes": int(apart.total_seconds() // 60)})


def why_left_out(repository: Repository) -> str:
    """A sentence that says why nothing is planned in it; "" where it can be."""
    if repository.gone_at is not None:
        return _GONE
    if repository.state == Repository.State.FAILED:
        return _NOT_READ % {"why": repository.problem.rstrip(".")}
    if repository.scanned_at is None or repository.state == Repository.State.NEW:
        return _NEW
    if not repository.is_settled:
        return _UNSETTLED
    return _MISSED if repository.missed else ""
