"""What a registry says is attached to an image, by its referrers API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from catalog.artifact_types import type_of
from catalog.models import Presence, Repository
from catalog.predicates import predicate_in, predicate_named
from oci.client import RegistryClient
from oci.config import parse_time
from oci.errors import NotFound
from oci.model import Descriptor
from oci.names import Digest, parse_repository

_MOST: Final = 100
_LONGEST: Final = 200  # characters
_CREATED: Final = "org.opencontainers.image.created"


@dataclass(frozen=True, slots=True)
class Referrer:
    """`type` is what it calls itself; `is_known` where a scan has seen it in this repository."""

    digest: str
    name: str
    type: str
    about: str
    document_size: int
    created: datetime | None
    is_known: bool


@dataclass(frozen=True, slots=True)
class Referrers:
    shown: tuple[Referrer, ...] = ()
    more: int = 0


def fetch_referrers(client: RegistryClient, repository: str, digests: Sequence[str]) -> list[Descriptor] | None:
    """Of all `digests`, each once; None where the registry has no such API."""
    name, found, has_api = parse_repository(repository), dict[Digest, Descriptor](), False
    for digest in digests:
        with suppress(NotFound):
            found |= {one.digest: one for one in client.referrers(name, Digest.parse(digest))}
            has_api = True
    return list(found.values()) if has_api else None


def told_of(descriptors: Iterable[Descriptor], repository: Repository) -> Referrers:
    """One query."""
    every = list(descriptors)
    digests = [str(one.digest) for one in every[:_MOST]]
    here = Presence.objects.present().filter(repository=repository, manifest__digest__in=digests)
    known = set(here.values_list("manifest__digest", flat=True)) if digests else set()
    shown = tuple(_told(one, is_known=str(one.digest) in known) for one in every[:_MOST])
    return Referrers(shown, max(0, len(every) - _MOST))


def _told(one: Descriptor, *, is_known: bool) -> Referrer:
    kind = one.artifact_type or one.media_type
    known, predicate = type_of(kind, (), one.annotations), predicate_in(one.annotations)
    return Referrer(
        digest=str(one.digest),
        name=str(known.name) if known else "",
        type=kind[:_LONGEST],
        about=predicate_named(predicate) or predicate[:_LONGEST],
        document_size=one.size,
        created=parse_time(one.annotations.get(_CREATED)),
        is_known=is_known,
    )
