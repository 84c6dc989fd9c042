"""The repositories to read where the catalog may not be read: those that people named, and those that we learnt of."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

from catalog.models import Repository, Scan, WatchedRepository
from catalog.recording.chunks import by_number
from catalog.rows import insert
from jobs.running import JobFailed, Lease
from oci.names import RepositoryName, parse_repository
from registries.models import Registry

_NOBODY: Final = gettext_noop(
    "The registry does not let Berth read its catalog (%(failure)s), and no repository is watched."
    " Name some on the page of the registry. Nothing was changed."
)
_UNWATCHED: Final = gettext_noop("It is not watched any more, and the catalog may not be read.")
SENTENCES: Final = (_NOBODY, _UNWATCHED)


def watched_names(lease: Lease, registry: Registry, refusal: str) -> tuple[RepositoryName, ...]:
    """Their names, in order. Raises JobFailed where there are none.

    What the catalog held when it could last be read is learnt at once, so that nothing is lost from sight.
    """
    last = Scan.objects.complete().filter(registry=registry).newest_first().first()
    if last is not None and not last.is_of_watched:
        known = Repository.objects.live().filter(registry=registry).values_list("name", flat=True)
        for piece in by_number(list(known)):
            with lease.writing():
                insert(WatchedRepository, ("registry_id", "name", "learnt"), [(registry.pk, n, True) for n in piece])
    names = WatchedRepository.objects.filter(registry=registry).order_by("name").values_list("name", flat=True)
    if not names:
        raise JobFailed(_NOBODY % {"failure": refusal})
    return tuple(parse_repository(name) for name in names)


def leave_unwatched(lease: Lease, registry: Registry, watched: set[str]) -> None:
    """Say of what is in the catalog, and not watched any more, that it is not read."""
    rows = Repository.objects.live().filter(registry=registry).exclude(problem=_UNWATCHED)
    left = [pk for pk, name in rows.values_list("id", "name") if name not in watched]
    for piece in by_number(left):
        with lease.writing():
            Repository.objects.filter(pk__in=piece).update(state=Repository.State.FAILED, problem=_UNWATCHED)
