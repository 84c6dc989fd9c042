"""What a query finds in the catalog, apart from tags.

Each function is one or two queries whose cost does not grow with the catalog.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.db import connection
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When

from catalog.models import Label, LabelName, Manifest, Presence, Repository
from catalog.searching.query import Query
from registries.models import Registry, for_asking

MOST_IMAGES: Final = 200  # that are looked at behind a label, a type or the beginning of a digest
_LAST: Final = "\U0010ffff"
_HEX: Final = re.compile(r"[0-9a-f]+")
_ALGORITHMS: Final = ("sha256", "sha512")
_LEAST_VALUE: Final = 3  # letters of a label's value without its name


def repositories(query: Query, registries: Sequence[Registry], most: int) -> list[Repository]:
    """Those whose name fits, the best first: the very name, one that ends with it, one that begins with it."""
    best = _best_first(fitting(query, registries), query)[:most]
    return list(_best_first(Repository.objects.for_list().filter(pk__in=best.values("pk")), query))


def _best_first(rows: QuerySet[Repository], query: Query) -> QuerySet[Repository]:
    if query.pattern:
        return rows.order_by("name_key", "pk")
    name = (query.repository or " ".join(query.words)).lower()
    if not name:
        found = rows if query.facets or query.namespace else rows.none()
        return found.order_by("-changed_at", "-pk")
    rank = Case(
        When(name=name, then=Value(0)),
        When(name__endswith=f"/{name}", then=Value(1)),
        When(name__startswith=name, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    return rows.alias(rank=rank).order_by("rank", "-changed_at", "-pk")


def fitting(query: Query, registries: Sequence[Registry]) -> QuerySet[Repository]:
    """Repositories that fit all that is said of repositories, in no order."""
    rows = Repository.objects.live().filter(registry__in=[registry.pk for registry in registries])
    if query.registry:
        rows = rows.filter(registry__name__icontains=query.registry)
    if query.namespace:
        rows = rows.in_namespace(query.namespace)
    if query.facets:
        rows = rows.alias(some=F("facets").bitand(query.facets)).filter(some=query.facets)
    if query.pattern:
        for registry in registries:
            if within := query.pattern.without_host(registry.pull_host):
                return within.repositories(rows.filter(registry=registry))
        return query.pattern.repositories(rows)
    for word in (*query.words, *query.repository.split()):
        rows = rows.filter(name__contains=word.lower())
    return rows


def images(query: Query, registries: Sequence[Registry], most: int) -> list[Presence]:
    """Present images behind the beginning of a digest, a label or a media type, the newest first."""
    manifests: QuerySet[Manifest] = Manifest.objects.none()
    for some in _manifests(query):
        manifests = some if manifests.query.is_empty() else manifests.union(some, all=True)
    ids = list(manifests.values_list("pk", flat=True)[:MOST_IMAGES])
    rows = Presence.objects.present().filter(manifest__in=ids, repository__registry__in=[row.pk for row in registries])
    # By a sum, which no index has: from the end of all images a database would look at nearly all of them.
    newest = rows.alias(place=F("pk") + 0).order_by(F("place").desc()).values("pk")[:most]
    whole = Presence.objects.filter(pk__in=newest).select_related("repository__registry", "manifest")
    return list(whole.defer(*for_asking("repository__registry")).order_by("-pk")) if ids else []


def _manifests(query: Query) -> Iterator[QuerySet[Manifest]]:
    """What each part of the query asks for; the word that may begin a digest may begin the value of a label too."""
    if query.digest:
        yield Manifest.objects.filter(_digest_begins(query.digest))
    if query.label:
        name, value = query.label
        names = LabelName.objects.filter(Q(name=name) | Q(name__endswith=f".{name}")).values("pk")
        yield _labelled(Label.objects.filter(begins_with("value", value), name__in=names))
    elif query.media_type:
        begins = begins_with("artifact_type", query.media_type)
        contains = Q(artifact_type__icontains=query.media_type)
        yield Manifest.objects.exclude(artifact_type="").filter(begins if "/" in query.media_type else contains)
    elif len(text := " ".join(query.words)) >= _LEAST_VALUE and not query.pasted:
        yield _labelled(Label.objects.filter(begins_with("value", text)))


def _labelled(labels: QuerySet[Label]) -> QuerySet[Manifest]:
    return Manifest.objects.filter(pk__in=labels.values("manifest")[:MOST_IMAGES])


def _digest_begins(text: str) -> Q:
    algorithm, colon, hex_ = text.rpartition(":")
    if not _HEX.fullmatch(hex_) or (colon and algorithm not in _ALGORITHMS):
        return Q(pk__in=())
    found = Q()
    for name in (algorithm,) if colon else _ALGORITHMS:
        found |= begins_with("digest", f"{name}:{hex_}")
    return found


def begins_with(field: str, text: str) -> Q:
    """Values that begin with `text`, letters as they are, by the index of `field`."""
    if connection.vendor == "sqlite":  # its LIKE takes capital letters for small ones, so no index serves it
        return Q(**{f"{field}__gte": text, f"{field}__lt": f"{text}{_LAST}"})
    return Q(**{f"{field}__startswith": text})


def pasted_here(query: Query, registries: Iterable[Registry]) -> list[Repository]:
    """The repositories here that the reference may mean: of the registry it names, or of any where it names none."""
    if query.pasted is None:
        return []
    reference = query.pasted.reference
    whole, familiar = f"{reference.registry}/{reference.repository}", reference.familiar.partition("@")[0]
    names = {reference.repository, familiar.rpartition(":")[0] if ":" in familiar.rpartition("/")[2] else familiar}
    meant = Q(pk__in=())
    for registry in registries:
        if whole.startswith(f"{registry.pull_host}/"):
            meant |= Q(registry=registry, name=whole.removeprefix(f"{registry.pull_host}/"))
        elif not query.pasted.has_registry:
            meant |= Q(registry=registry, name__in=names)
    found = Repository.objects.live().filter(meant).select_related("registry").defer(*for_asking("registry"))
    return list(found.order_by("registry__name", "name"))


def pasted_targets(query: Query, here: Sequence[Repository]) -> dict[int, Presence | None]:
    """In each of these repositories what its tag or digest names now; None where there is no such thing."""
    if query.pasted is None or not here:
        return {}
    reference, ids = query.pasted.reference, [row.pk for row in here]
    found: dict[int, Presence | None] = dict.fromkeys(ids)
    rows = Presence.objects.present().filter(repository__in=ids).select_related("manifest")
    if reference.digest:
        rows = rows.filter(manifest__digest=str(reference.digest))
    else:
        rows = rows.filter(tags__repository__in=ids, tags__name=reference.tag, tags__gone_at=None)
    return found | {presence.repository_id: presence for presence in rows}
