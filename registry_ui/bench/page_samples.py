"""What the measured pages are about: repositories, tags, images and entries from all over a filled catalog."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.db.models import Model, QuerySet

from audit.models import Entry
from catalog.models import Manifest, Presence, Repository, Scan, Tag
from cleanup.models import PinHolder, Policy, RunRepository, Sweep, UntaggedRun
from sync.models import Rule, Run
from tagging.models import TrashEntry

_SEED: Final = 7

RowT = TypeVar("RowT", bound=Model)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one path of each kind is about."""

    chance: random.Random
    number: int  # of the sample
    repository: Repository
    tag: Tag  # in it
    index: Presence  # an image for several platforms, in another repository
    lost: Repository  # that has lost tags
    wide: Repository
    wide_image: Presence
    wide_tag: Tag
    scan: Scan
    entry: Entry  # of the audit, of what Berth did
    told: Entry  # of what a registry told
    thrown_away: TrashEntry
    rule: Rule  # of sync
    run: Run
    policy: Policy  # of retention
    judged: RunRepository  # by a run of retention
    untagged: UntaggedRun
    swept: Sweep
    holder: PinHolder


def samples_of(number: int) -> Iterator[Sample]:
    """The same each time."""
    chance = random.Random(_SEED)  # noqa: S311  nothing here is secret
    live = Repository.objects.live().filter(tag_count__gt=0).select_related("registry")
    wide = live.order_by("-tag_count")[0]
    of_wide = {"repository": wide}
    tags = _some(chance, Tag.objects.live().filter(**of_wide).select_related("repository__registry"), number)
    images = _some(chance, Presence.objects.tagged().for_people().filter(**of_wide), number)
    index = Presence.objects.tagged().filter(manifest__kind=Manifest.Kind.INDEX).order_by("repository", "pk")
    indexes = _some(chance, index.select_related("repository__registry"), number)
    lost = _some(chance, live.filter(tags__gone_at__isnull=False).distinct(), number)
    entries = _some(chance, Entry.objects.exclude(plan_id=None), number)
    told = _some_told(chance, number)
    trash = _some(chance, TrashEntry.objects.listed(), number)
    rules = _some(chance, Rule.objects.all(), number)
    runs = _some(chance, Run.objects.all(), number)
    policies = _some(chance, Policy.objects.all(), number)
    judged = _some(chance, RunRepository.objects.select_related("run").defer("kept_tags"), number)
    untagged = _some(chance, UntaggedRun.objects.filter(found__gt=0), number)
    sweeps = _some(chance, Sweep.objects.filter(found__gt=0), number)
    holders = _some(chance, PinHolder.objects.all(), number)
    scans = _some(chance, Scan.objects.complete().filter(registry=wide.registry).select_related("registry"), number)
    for at, row in enumerate(_some(chance, live, number)):
        tag = Tag.objects.live().filter(repository=row).exclude(presence=None).select_related("presence__manifest")
        chosen = chance.choice(tag[:100])
        chosen.repository = row
        yield Sample(
            chance=chance,
            number=at,
            repository=row,
            tag=chosen,
            index=indexes[at],
            lost=lost[at],
            wide=wide,
            wide_image=images[at],
            wide_tag=tags[at],
            scan=scans[at],
            entry=entries[at],
            told=told[at],
            thrown_away=trash[at],
            rule=rules[at],
            run=runs[at],
            policy=policies[at],
            judged=judged[at],
            untagged=untagged[at],
            swept=sweeps[at],
            holder=holders[at],
        )


def _some_told(chance: random.Random, number: int) -> list[Entry]:
    """From here and there: there are too many to choose among all."""
    newest, found = Entry.objects.latest("pk").pk, list[Entry]()
    while len(found) < number:
        after = Entry.objects.filter(pk__gte=chance.randrange(newest), source=Entry.Source.EVENT).exclude(actor="")
        found += after.order_by("pk")[:1]
    return found


def _some(chance: random.Random, rows: QuerySet[RowT], number: int) -> Sequence[RowT]:
    """`number` of them, as different as there are."""
    ids = list(rows.values_list("pk", flat=True))
    chosen = [pk for _ in range(1 + number // len(ids)) for pk in chance.sample(ids, len(ids))][:number]
    found: dict[Any, RowT] = {row.pk: row for row in rows.filter(pk__in=set(chosen))}
    return [found[pk] for pk in chosen]
