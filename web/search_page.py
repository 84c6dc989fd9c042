"""A pasted reference on the page of the search: what its parts are, and what it names in the registries here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy

from catalog.models import Presence, Repository
from catalog.searching.finding import pasted_here, pasted_targets
from catalog.searching.query import Query
from catalog.searching.references import Name, Part
from registries.models import Registry

_TITLES: Final = {
    Name.REGISTRY: gettext_lazy("Registry"),
    Name.NAMESPACE: gettext_lazy("Namespace"),
    Name.REPOSITORY: gettext_lazy("Repository"),
    Name.TAG: gettext_lazy("Tag"),
    Name.DIGEST: gettext_lazy("Digest"),
}
_DEFAULTS: Final = {
    Name.REGISTRY: gettext_lazy("filled in: no registry stands in front, so clients ask Docker Hub"),
    Name.NAMESPACE: gettext_lazy("filled in: official images of Docker Hub stand in this namespace"),
    Name.TAG: gettext_lazy("filled in: neither a tag nor a digest was given"),
}
_GIVEN: Final = {
    Name.TAG: gettext_lazy("a name that may move to another image"),
    Name.DIGEST: gettext_lazy("this very content, for ever"),
}
HINTS: Final = (
    ("team/app 1.27", gettext_lazy("words of names; the last one may be of a tag")),
    ("*/api:1.*", gettext_lazy("a pattern, as docker image ls takes it")),
    ("docker pull …", gettext_lazy("a pasted command, FROM line or reference, explained and found")),
    ("sha256:3f79", gettext_lazy("the beginning of a digest")),
    (
        "label:revision=8c1f",
        gettext_lazy("a label or an annotation; the beginning of its value alone is found too"),
    ),
    ("platform:arm64 kind:chart", gettext_lazy("repositories that hold such images")),
    ("type:spdx", gettext_lazy("artifacts by a part of their type")),
    ("repo: tag: ns: registry:", gettext_lazy("where a word belongs")),
)


@dataclass(frozen=True, slots=True)
class PartOfReference:
    part: Part

    @property
    def title(self) -> str:
        return str(_TITLES[self.part.name])

    @property
    def meaning(self) -> str:
        return str((_DEFAULTS if self.part.is_default else _GIVEN).get(self.part.name, ""))


@dataclass(frozen=True, slots=True)
class Here:
    """A repository that the reference may mean, and what it names there now; None where there is no such thing."""

    repository: Repository
    target: str  # the tag, or the digest
    presence: Presence | None
    is_digest: bool


def explained(query: Query, registries: Sequence[Registry]) -> list[Here]:
    """Two queries; none where no reference was pasted."""
    if query.pasted is None:
        return []
    repositories = pasted_here(query, registries)
    targets, reference = pasted_targets(query, repositories), query.pasted.reference
    target = str(reference.digest or reference.tag)
    return [Here(row, target, targets.get(row.pk), reference.digest is not None) for row in repositories]
