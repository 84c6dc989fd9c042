"""What was cleaned up: policies, runs of retention, runs over untagged manifests, sweeps, and what is pinned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.utils import timezone

from catalog.models import Repository, Tag
from catalog.planning import learn_sizes
from catalog.recording.chunks import by_number
from catalog.rows import table
from cleanup.models import (
    Pin,
    PinHolder,
    Policy,
    RetentionRun,
    RunRepository,
    RunTag,
    Sweep,
    SweptBlob,
    UntaggedItem,
    UntaggedRun,
)
from cleanup.retention.planning import packed
from cleanup.retention.reasons import Reason, Verdict, Why
from cleanup.retention.terms import Terms
from registries.models import Registry
from registry_ui.bench.catalog_data.shape import Catalog

_RUNS: Final = 60  # of each kind and registry: one a day
_POLICIES: Final = 12  # of a registry
_TAGS_FOR_AN_ITEM: Final = 10  # that the catalog has, for each row of the newest run of each kind
_TAGS: Final = 10_000  # of one repository that a run judges, at most
_HOLDERS: Final = 40
_PINS: Final = 500  # of a holder
_ROWS: Final = 2_000  # at once
_DAY: Final = timedelta(days=1)
_STAYS_EVERY, _FAILS_EVERY = 3, 53  # tags
_TABLES: Final = (Pin, RetentionRun, RunRepository, RunTag, Sweep, SweptBlob, UntaggedItem, UntaggedRun)


def clean_up(catalog: Catalog) -> None:
    items = max(60, catalog.tags // _TAGS_FOR_AN_ITEM)
    now = timezone.now()
    for registry in Registry.objects.active().order_by("pk"):
        _policies(registry)
        for number in range(_RUNS):
            at, is_last = now - (_RUNS - number) * _DAY, number == _RUNS - 1
            _retention(registry, at, items if is_last else 0)
            _untagged(registry, at, items if is_last else 0)
            _sweep(registry, at, items if is_last else 0)
    _pins(now)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # as it does by itself, after a while
            cursor.execute(f"ANALYZE {', '.join(map(table, _TABLES))}")
    learn_sizes()


def _policies(registry: Registry) -> None:
    for number in range(_POLICIES):
        rules = [{"tags": ["*"], "newest_versions": 3, "line": "minor", "pulled_within": 30}]
        terms = Terms.read({"repositories": [f"*-{number}", "team/*"], "rules": rules}).written()
        Policy.objects.create(registry=registry, name=f"{registry.name}-{number}", position=number, terms=terms)


def _retention(registry: Registry, at: datetime, items: int) -> None:
    """The newest is a plan over the repositories with the most tags."""
    state = RetentionRun.State.PLANNED if items else RetentionRun.State.DONE
    run = RetentionRun.objects.create(registry=registry, state=state, created_at=at, planned_at=at, actor="ana")
    if not items:
        return
    places = Repository.objects.live().filter(registry=registry, tag_count__gt=0).order_by("-tag_count", "pk")
    for repository in places.iterator(chunk_size=100):
        tags = Tag.objects.live().filter(repository=repository).exclude(presence=None).order_by("pk")
        pointed = list(tags.values_list("name", "presence__manifest__digest")[: min(_TAGS, items)])
        verdicts = [Verdict(tag, digest, _reasons(n)) for n, (tag, digest) in enumerate(pointed)]
        doomed = [verdict for verdict in verdicts if verdict.is_doomed]
        place = RunRepository.objects.create(
            run=run,
            repository=repository,
            name=repository.name,
            policy=f"{registry.name}-0",
            kept=len(verdicts) - len(doomed),
            doomed=len(doomed),
            kept_tags=packed(verdicts),
            frees=48_000_000 * len(doomed),
        )
        rows = (RunTag(run=run, place=place, tag=one.tag, digest=one.digest, rule=0) for one in doomed)
        for some in by_number(rows, _ROWS):
            RunTag.objects.bulk_create(some)
        run.repositories += 1
        run.kept += place.kept
        run.doomed += place.doomed
        run.frees += place.frees
        items -= len(doomed)
        if items <= 0:
            break
    run.save()


def _reasons(number: int) -> tuple[Reason, ...]:
    if number % _STAYS_EVERY:
        return (Reason(Why.RULE, rule=0),)
    return (Reason(Why.NEWEST_VERSION, f"1.{number // 100}", 0),)


def _untagged(registry: Registry, at: datetime, items: int) -> None:
    run = UntaggedRun.objects.create(
        registry=registry,
        state=UntaggedRun.State.DONE,
        source=UntaggedRun.Source.FOLDER,
        found=items * 11,
        stays={"tagged": items * 8, "part": items * 2},
        frees=48_000_000 * items,
        created_at=at,
        planned_at=at,
        began_at=at,
        ended_at=at,
    )
    keys = list(Repository.objects.live().filter(registry=registry).values_list("pk", flat=True)[: items or 1])
    for some in by_number(_items(run, keys, items), _ROWS):
        UntaggedItem.objects.bulk_create(some)


def _items(run: UntaggedRun, repositories: list[int], items: int) -> Iterator[UntaggedItem]:
    for position in range(items):
        fails = not position % _FAILS_EVERY
        yield UntaggedItem(
            run=run,
            position=position,
            repository_id=repositories[position * len(repositories) // items],
            digest=f"sha256:{position:064x}",
            kind="image",
            size=48_000_000,
            since=run.created_at,
            why="no tag, index, subject, trash entry or pin reaches it",
            state=UntaggedItem.State.FAILED if fails else UntaggedItem.State.DONE,
            note="it was answered with 503" if fails else "",
        )


def _sweep(registry: Registry, at: datetime, items: int) -> None:
    """The newest holds what it moved aside."""
    sweep = Sweep.objects.create(
        registry=registry,
        state=Sweep.State.HOLDING if items else Sweep.State.DONE,
        grace_seconds=86_400,
        settle_seconds=60,
        hold_seconds=86_400,
        found=items,
        found_bytes=sum(_size(number) for number in range(items)),
        manifests=items * 10,
        created_at=at,
        planned_at=at,
        began_at=at,
    )
    blobs = (
        SweptBlob(
            sweep=sweep,
            digest=f"sha256:{number:064x}",
            size=_size(number),
            links=[[f"team-{number % 40}/app", f"sha256:{number:064x}"]],
            state=SweptBlob.State.ASIDE if number % _FAILS_EVERY else SweptBlob.State.KEPT,
        )
        for number in range(items)
    )
    for some in by_number(blobs, _ROWS):
        SweptBlob.objects.bulk_create(some)


def _size(number: int) -> int:
    return 1_000 + number * 7_919 % 300_000_000


def _pins(now: datetime) -> None:
    digests = list(
        Tag.objects.live().exclude(presence=None).values_list("presence__manifest__digest", flat=True)[:_PINS]
    )
    for number in range(_HOLDERS):
        holder = PinHolder.objects.create(name=f"cluster-{number}")
        pins = [Pin(holder=holder, digest=digest, until=now + 3 * _DAY) for digest in sorted(set(digests))]
        Pin.objects.bulk_create(pins, batch_size=_ROWS)
