"""What the images of a repository can be narrowed to, and which choices it has; all by facets, so by an index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Count
from django.utils import timezone

from catalog import facets
from catalog.models import Presence, Repository, Tag
from catalog.models.presences import PresenceQuerySet
from catalog.models.repositories import LONG_AGO
from catalog.versions import Group

KINDS: Final = {"images": facets.IMAGES, "charts": facets.CHARTS, "others": facets.OTHERS}
ATTACHED: Final = "attached"
_RELEASES: Final = facets.of_group(Group.RELEASE)
GROUPS: Final = {
    "releases": _RELEASES | facets.of_group(Group.PRE_RELEASE),
    "final": _RELEASES,
    "branches": facets.of_group(Group.BRANCH),
    "commits": facets.of_group(Group.COMMIT),
}
YOUNGER: Final = {"1d": 1, "7d": 7, "30d": 30, "90d": 90}  # days
OLDER: Final = {"over-30d": 30, "over-90d": 90, "over-365d": 365}
_COUNTED: Final = 5_000  # images: of a repository that has more nothing is counted, and only
_LOOKED_AT: Final = 1_000  # of the newest are looked at


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Each is one of the names above, of `facets.platforms_in` a platform, or "" for no choice; `text` is of a tag."""

    text: str = ""
    kind: str = ""
    group: str = ""
    platform: str = ""
    age: str = ""

    @property
    def any(self) -> bool:
        return self != Narrowing()

    def of(self, repository: Repository) -> PresenceQuerySet:
        """The tagged images that are left. What is attached to images is a list of its own: nobody gave those tags."""
        images = Presence.objects.tagged().filter(repository=repository)
        images = images.attached() if self.kind == ATTACHED else images.for_people()
        wanted = (
            KINDS.get(self.kind, 0),
            GROUPS.get(self.group, 0),
            facets.of_named_platform(self.platform),
        )
        for some in wanted:
            if some:
                images = images.with_any(some)
        return _with_tag_like(self._of_age(images), repository, self.text)

    def _of_age(self, images: PresenceQuerySet) -> PresenceQuerySet:
        """What was there when Berth first looked has no age: it is neither young nor old."""
        if days := YOUNGER.get(self.age):
            return images.filter(dated__gte=timezone.now() - timedelta(days=days))
        if days := OLDER.get(self.age):
            return images.filter(dated__gt=LONG_AGO, dated__lt=timezone.now() - timedelta(days=days))
        return images


def _with_tag_like(images: PresenceQuerySet, repository: Repository, text: str) -> PresenceQuerySet:
    """Those that have a tag with `text` in its name."""
    if not text.strip():
        return images
    # That its name is not empty goes without saying, and leads to an index that holds the names.
    tags = Tag.objects.live().filter(repository=repository, name__gt="").matching_here(text)
    return images.filter(pk__in=tags.values("presence"))


@dataclass(frozen=True, slots=True)
class Choice:
    """`count` of images is None where nobody counted."""

    name: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What a repository has of each, nothing where there is no choice; `unattached` counts the list without any."""

    kinds: list[Choice]
    groups: list[Choice]
    platforms: list[Choice]
    unattached: int | None


def choices_in(repository: Repository) -> Choices:
    """One query."""
    images = Presence.objects.tagged().filter(repository=repository)
    if repository.image_count > _COUNTED:
        found = Counter(images.order_by("-dated", "-pk").values_list("facets", flat=True)[:_LOOKED_AT])
        return _choices(found, counted=False)
    return _choices(dict(images.order_by().values_list("facets").annotate(Count("id"))), counted=True)


def _choices(found: Mapping[int, int], *, counted: bool) -> Choices:
    def count(wanted: int) -> int:
        return sum(number for some, number in found.items() if some & wanted and not some & facets.ATTACHED)

    def among(wanted: Mapping[str, int]) -> list[Choice]:
        counts = {name: count(some) for name, some in wanted.items()}
        return [Choice(name, number if counted else None) for name, number in counts.items() if number]

    attached = sum(number for some, number in found.items() if some & facets.ATTACHED)
    kinds = among(KINDS)
    if attached:
        kinds.append(Choice(ATTACHED, attached if counted else None))
    together = 0
    for some in found:
        together |= some
    platforms = among({name: facets.of_named_platform(name) for name in facets.platforms_in(together)})
    groups = among(GROUPS)
    return Choices(
        kinds=kinds if len(kinds) > 1 or attached else [],
        groups=groups if len({choice.name for choice in groups} - {"final"}) > 1 else [],
        platforms=platforms if len(platforms) > 1 else [],
        unattached=sum(found.values()) - attached if counted else None,
    )
