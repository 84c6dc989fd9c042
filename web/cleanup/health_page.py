"""The page of health: how each registry stands, and the first of each kind of what is not well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from catalog.reads.keyset import Column, Order, Page, paged
from cleanup import health
from cleanup.health import Standing
from cleanup.models import CheckFinding
from registries.models import Registry, for_asking
from sync.models import Synced
from web.cleanup.check_row import CheckRow

RowT = TypeVar("RowT", bound=Model)

SHOWN: Final = 6  # of each kind on the page of all
COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of what is not well. `words` say what can be done about it."""

    name: str
    title: Promise
    words: Promise
    rows: Callable[[Sequence[Registry]], QuerySet[Any]]
    whole: Callable[[QuerySet[Any]], QuerySet[Any]]


def _with_rules(rows: QuerySet[CheckFinding]) -> QuerySet[CheckFinding]:
    """Each with `rule`: the name of the sync rule that copied its tag in, and can once more."""
    here = {"registry": OuterRef("registry"), "repository": OuterRef("repository"), "tag": OuterRef("tag")}
    return health.with_places(rows).annotate(rule=Subquery(Synced.objects.filter(**here).values("rule__name")[:1]))


KINDS: Final = (
    Kind(
        "broken",
        gettext_lazy("Broken images"),
        gettext_lazy(
            "A check found a part of them missing, or changed. Push them again, or copy them from where they are whole;"
            " else delete the tag, which nobody can pull."
        ),
        health.broken_tags,
        _with_rules,
    ),
    Kind(
        "incomplete",
        gettext_lazy("Images of which a part is missing"),
        gettext_lazy(
            "Scans miss a manifest that an index lists, or a config. Push them again, or delete them; a check says"
            " whether more is missing."
        ),
        health.hollow_images,
        lambda rows: rows.select_related("repository__registry", "manifest").defer(*for_asking("repository__registry")),
    ),
    Kind(
        "unread",
        gettext_lazy("Tags that cannot be read"),
        gettext_lazy("The registry lists them, and did not give the last scan what they point to."),
        health.unread_tags,
        lambda rows: rows.select_related("repository__registry").defer(*for_asking("repository__registry")),
    ),
    Kind(
        "empty",
        gettext_lazy("Empty repositories"),
        gettext_lazy("Their last tag is gone; the name stays listed until it is removed from the storage folder."),
        health.empty_repositories,
        lambda rows: rows.select_related("registry").defer(*for_asking("registry")),
    ),
)


@dataclass(frozen=True, slots=True)
class Section(Generic[RowT]):
    """The first rows of a kind; `has_more` where there are others."""

    kind: Kind
    rows: list[RowT]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Stand:
    """How a registry stands, in words."""

    standing: Standing

    @property
    def last(self) -> CheckRow | None:
        return CheckRow(self.standing.last) if self.standing.last else None

    @property
    def moving(self) -> CheckRow | None:
        return CheckRow(self.standing.moving) if self.standing.moving else None

    @property
    def state(self) -> str:
        """By what is known to be broken now: some of what the last check found may be mended."""
        if self.standing.broken:
            return gettext("Broken")
        if self.standing.last is None:
            return gettext("Not checked yet")
        return gettext("Not all could be asked") if self.standing.last.unasked else gettext("Whole")

    @property
    def tone(self) -> str:
        if self.standing.broken:
            return "danger"
        if self.standing.last is None:
            return ""
        return "warn" if self.standing.last.unasked else "ok"


def stands(registries: Sequence[Registry]) -> list[Stand]:
    return [Stand(standing) for standing in health.standings(registries)]


def sections(registries: Sequence[Registry]) -> list[Section[Any]]:
    """Of each kind that there is; one query a kind."""
    found = []
    for kind in KINDS:
        rows = list(kind.whole(kind.rows(registries)).order_by("-pk")[: SHOWN + 1])
        if rows:
            found.append(Section(kind, rows[:SHOWN], len(rows) > SHOWN))
    return found


def page_of(kind: Kind, registries: Sequence[Registry], token: str | None) -> Page[Any]:
    """One page of all of a kind."""
    return paged(kind.rows(registries), Order.parse(None, COLUMNS), token, whole=kind.whole)


def kind_of(name: str) -> Kind:
    """Raises Http404."""
    found = next((kind for kind in KINDS if kind.name == name), None)
    if found is None:
        raise Http404
    return found
