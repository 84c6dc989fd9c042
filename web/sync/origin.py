"""What a repository's page says of images that were copied in: from where, when, and whether upstream has moved."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import JSONObject
from django.utils.translation import gettext

from catalog.models import Repository, Tag
from sync.models import Synced
from web.templatetags.berth import moment


class Origin(NamedTuple):
    """Of what was copied last; `rule` is "" where that is gone."""

    place: str
    at: datetime | None
    rule: str


class Upstream(NamedTuple):
    """Tags whose source has gone on without them, in words; `tags` names them where the lead tag is none of them."""

    words: str
    tone: str
    tags: str


def with_origin(rows: QuerySet[Repository]) -> QuerySet[Repository]:
    """Each with `origin`, see `origin_of`: a part of the query that is asked anyway."""
    here = Synced.objects.filter(registry=OuterRef("registry"), repository=OuterRef("name")).order_by("-copied_at")
    told = JSONObject(source="source__name", repository="source_repository", at="copied_at", rule="rule__name")
    return rows.annotate(origin=Subquery(here.values(told=told)[:1]))


def origin_of(repository: Repository) -> Origin | None:
    """Of one that comes `with_origin`; None where nothing was copied in."""
    told: dict[str, Any] | None = repository.origin  # type: ignore[attr-defined]  # annotated
    if told is None:
        return None
    return Origin(f"{told['source']}/{told['repository']}", moment(told["at"]), told["rule"] or "")


def with_upstream(tags: QuerySet[Tag], repository: Repository) -> QuerySet[Tag]:
    """Each with `upstream`: "moved" or "gone", as its source was seen last; "" or None where all is well."""
    here = Synced.objects.filter(registry=repository.registry_id, repository=repository.name, tag=OuterRef("name"))
    state = Case(
        When(seen="", then=Value("gone")), When(~Q(seen=F("upstream")), then=Value("moved")), default=Value("")
    )
    return tags.annotate(upstream=Subquery(here.annotate(state=state).values("state")[:1]))


def upstream_of(tags: Iterable[Tag], lead: str) -> list[Upstream]:
    """What there is to say of the tags of one image."""
    found: dict[str, list[str]] = {}
    for tag in tags:
        if state := getattr(tag, "upstream", ""):
            found.setdefault(state, []).append(tag.name)
    words = {"moved": (gettext("moved upstream"), "info"), "gone": (gettext("gone upstream"), "warn")}
    return [Upstream(*words[state], "" if lead in names else ", ".join(names)) for state, names in found.items()]
