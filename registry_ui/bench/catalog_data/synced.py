"""What was copied in from another registry: rules, their runs with an item for each tag, and what stands since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.utils import timezone

from catalog.models import Repository, Tag
from catalog.planning import learn_sizes
from catalog.recording.chunks import by_number
from jobs.schedule import Schedule, When
from registries.models import Registry
from registry_ui.bench.catalog_data.shape import Catalog
from sync.choosing import Choice, Why
from sync.details import Details
from sync.models import Item, Rule, Run, Synced
from sync.terms import Terms

_TAGS_FOR_A_RULE: Final = 2_000  # that the catalog has
_MOST_RULES: Final = 300
_TAGS: Final = 10_000  # of a run, at most
_RUNS: Final = 3  # of a rule
_ROWS: Final = 2_000  # at once
_EVERY: Final = timedelta(hours=6)
_FAILS_EVERY, _MOVES_EVERY, _KEPT_EVERY = 97, 5, 2  # tags
_AHEAD_EVERY, _GONE_EVERY = 23, 61  # tags of the source, since they were copied


def sync(catalog: Catalog) -> None:
    """A rule for each of the repositories with the most tags, the widest of all among them."""
    source = Registry.objects.create(name="hub", url="https://hub.registry.example.com", role=Registry.Role.SOURCE)
    count = max(2, min(_MOST_RULES, catalog.tags // _TAGS_FOR_A_RULE))
    now = timezone.now()
    places = Repository.objects.live().filter(tag_count__gt=0).select_related("registry")
    for number, place in enumerate(places.order_by("-tag_count", "pk")[:count]):
        rule = _rule(source, place, number)
        tags = Tag.objects.live().filter(repository=place).exclude(presence=None).order_by("pk")
        pointed = list(tags.values_list("name", "presence__manifest__digest")[:_TAGS])
        for run_number in range(_RUNS):
            _run(rule, place, pointed, now - (_RUNS - run_number) * _EVERY)
        for synced in by_number(_standing(rule, place, pointed, now - _EVERY), _ROWS):
            Synced.objects.bulk_create(synced)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE sync_synced, sync_run, sync_item")  # as it does by itself, after a while
    learn_sizes()


def _rule(source: Registry, place: Repository, number: int) -> Rule:
    details = Details(
        f"mirror-{number}",
        source=source.name,
        repositories=(f"upstream/{place.base_name}",),
        target=place.registry.name,
        into=place.name,
        choice=Choice(allow=("*",), deny=("*-windows*",)),
        schedule=Schedule(When.EVERY, every=360),
    )
    terms = Terms.of(details).written()
    return Rule.objects.create(name=details.name, source=source, target=place.registry, terms=terms, created_by="ana")


def _run(rule: Rule, place: Repository, pointed: list[tuple[str, str]], at: datetime) -> None:
    items = list(_items(place, pointed, at))
    run = Run.objects.create(
        rule=rule,
        name=rule.name,
        source=rule.source,
        target=rule.target,
        terms=rule.terms,
        state=Run.State.DONE,
        new=sum(item.act == Item.Act.COPY and not item.before for item in items),
        moved=sum(item.act == Item.Act.COPY and bool(item.before) for item in items),
        unchanged=sum(item.act == Item.Act.KEEP for item in items),
        left_out={Why.DENIED: [140, [f"1.{number}-windowsservercore" for number in range(50)]]},
        message="Done.",
        sent=sum(item.sent for item in items),
        created_at=at,
        began_at=at,
        ended_at=at,
    )
    for item in items:
        item.run = run
    for some in by_number(items, _ROWS):
        Item.objects.bulk_create(some)


def _items(place: Repository, pointed: Iterable[tuple[str, str]], at: datetime) -> Iterator[Item]:
    for position, (tag, digest) in enumerate(pointed):
        fails, keeps = not position % _FAILS_EVERY, not position % _KEPT_EVERY
        copied = not fails and not keeps
        yield Item(
            position=position,
            act=Item.Act.KEEP if keeps and not fails else Item.Act.COPY,
            source_repository=f"upstream/{place.base_name}",
            source_tag=tag,
            digest=digest,
            repository=place.name,
            tag=tag,
            before=digest if keeps or not position % _MOVES_EVERY else "",
            after=digest if copied else "",
            why=Why.ALLOWED,
            detail="*",
            state=Item.State.FAILED if fails else Item.State.SKIPPED if keeps else Item.State.DONE,
            note="the source: it was answered with 503" if fails else "",
            tries=0 if keeps else 1,
            sent=48_000_000 if copied else 0,
            ended_at=at,
        )


def _standing(rule: Rule, place: Repository, pointed: Iterable[tuple[str, str]], at: datetime) -> Iterator[Synced]:
    for number, (tag, digest) in enumerate(pointed):
        moved = f"sha256:{number:064x}"
        yield Synced(
            registry=place.registry,
            repository=place.name,
            tag=tag,
            digest=digest,
            rule=rule,
            source=rule.source,
            source_repository=f"upstream/{place.base_name}",
            source_tag=tag,
            upstream=digest,
            copied_at=at,
            seen="" if not number % _GONE_EVERY else moved if not number % _AHEAD_EVERY else digest,
            seen_at=at,
        )
