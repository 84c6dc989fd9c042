"""Looking after the trash: whether what is in it could still be restored, and letting go of what has expired."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from audit.models import Entry
from audit.services import record
from catalog.models import RepositoryBlob
from oci.client import RegistryClient
from oci.errors import NotFound, RegistryError
from oci.names import Digest, parse_repository
from registries.clients import client_for
from registries.models import Registry, for_asking
from tagging.blobs import Blobs, blobs_of
from tagging.models import KeptManifest, PlanItem, TrashEntry, TrashPart
from tagging.trash import KeptPart, parts_of

AT_ONCE: Final = 200  # entries of a registry that one look is for
_AGAIN: Final = timedelta(hours=24)
_SHOWN: Final = timedelta(days=14)  # for so long the trash says of an entry that it has expired
_BATCH: Final = 200
_NAMED: Final = 20  # blobs that are gone, by name
_STATE: Final = TrashEntry.State

log = logging.getLogger(__name__)


def check(registry: Registry, client: RegistryClient, entries: Iterable[TrashEntry], now: datetime) -> None:
    """Look at the blobs of these entries, and write what state they are in. Raises RegistryError."""
    blobs = Blobs(registry.pk, client)
    states: dict[tuple[int, str], tuple[TrashEntry.State, str]] = {}
    for entry in entries:
        same = (entry.repository_id, entry.digest)
        if same not in states:
            states[same] = _state(registry, client, entry, blobs)
        state, problem = states[same]
        TrashEntry.objects.filter(pk=entry.pk).update(state=state, problem=problem, checked_at=now)


def check_due(now: datetime) -> None:
    """Those that were never looked at, or not today; a registry that does not answer is left for the next time."""
    due = TrashEntry.objects.alive(now).filter(Q(checked_at=None) | Q(checked_at__lt=now - _AGAIN))
    for registry in Registry.objects.active().filter(pk__in=due.values("registry")):
        mine = due.filter(registry=registry).select_related("repository")
        entries = mine.order_by(F("checked_at").asc(nulls_first=True), "pk")[:AT_ONCE]
        try:
            with client_for(registry) as client:
                check(registry, client, entries, now)
        except RegistryError as error:
            log.warning("the trash of %s could not be checked: %s", registry.name, error)


def _state(registry: Registry, client: RegistryClient, entry: TrashEntry, blobs: Blobs) -> tuple[TrashEntry.State, str]:
    needed = [part for part in parts_of(entry) if part.role != TrashPart.Role.REFERRER]
    name = parse_repository(entry.repository.name)
    try:
        missing = blobs.missing(name, [part.kept for part in needed])
    except NotFound:
        missing = blobs_of(part.kept for part in needed)
    if missing:
        return _STATE.BLOBS_GONE, "\n".join(map(str, missing[:_NAMED]))
    held = client.manifest_exists(name, Digest.parse(entry.digest)) or _are_held(registry, needed)
    return (_STATE.RESTORABLE if held else _STATE.AT_RISK), ""


def _are_held(registry: Registry, parts: Collection[KeptPart]) -> bool:
    """Whether other images use every blob, so that no garbage collection takes one."""
    wanted: set[Digest] = set(blobs_of(part.kept for part in parts))
    used = RepositoryBlob.objects.filter(repository__registry=registry, blob__digest__in=map(str, wanted))
    return used.values("blob").distinct().count() == len(wanted)


def expire(now: datetime) -> None:
    """Let go of the bytes of what has expired, and some days later of the entry; what nobody kept is forgotten."""
    _forget_unfinished()
    parts = TrashPart.objects.filter(entry=OuterRef("pk"))
    over = (
        TrashEntry.objects.listed()
        .filter(Exists(parts), until__lte=now)
        .select_related("registry", "repository")
        .defer(*for_asking("registry"))
    )
    while batch := list(over.order_by("pk")[:_BATCH]):
        let_go(batch, now)
    old = TrashEntry.objects.filter(Q(until__lt=now - _SHOWN) | Q(restored_at__lt=now - _SHOWN))
    while keys := list(old.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        TrashEntry.objects.filter(pk__in=keys).delete()
    _drop_documents_of_nobody()


def let_go(entries: Collection[TrashEntry], now: datetime, actor: str = "", actor_id: int | None = None) -> None:
    """Give up these entries for good: they expire now, and the audit says whose act that was."""
    keys = [entry.pk for entry in entries]
    with transaction.atomic():
        TrashPart.objects.filter(entry__in=keys).delete()
        TrashEntry.objects.filter(pk__in=keys, until__gt=now).update(until=now)
        record(_expired(entry, now, actor, actor_id) for entry in entries)


def _expired(entry: TrashEntry, now: datetime, actor: str, actor_id: int | None) -> Entry:
    return Entry(
        key=f"trash:{entry.pk}",
        at=now,
        act=Entry.Act.EMPTY_TRASH,
        outcome=Entry.Outcome.DONE,
        actor=actor,
        actor_id=actor_id,
        registry=entry.registry.name,
        registry_id=entry.registry_id,
        repository=entry.repository.name,
        tag=entry.tag,
        digest_before=entry.digest,
    )


def _forget_unfinished() -> None:
    """Entries of deletions that never happened, and that nobody is about to go on with."""
    begun = PlanItem.objects.begun().filter(plan=OuterRef("plan"), position=OuterRef("position"))
    TrashEntry.objects.filter(~Exists(begun), deleted_at=None).delete()


def _drop_documents_of_nobody() -> None:
    """A batch at a time: to delete a row is to read it, with its bytes.

    They are locked and then looked at again: somebody may just be throwing away what one of them is needed for.
    """
    needed = TrashPart.objects.filter(manifest=OuterRef("pk"))
    unneeded = KeptManifest.objects.filter(~Exists(needed))
    last = 0
    while keys := list(unneeded.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        with transaction.atomic():
            locked = list(unneeded.select_for_update(of=("self",)).filter(pk__in=keys).values_list("pk", flat=True))
            unneeded.filter(pk__in=locked).delete()
        last = keys[-1]
