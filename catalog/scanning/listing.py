"""What a registry lists: the catalog, and the tags of each repository. A listing is complete, empty or failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_noop

from catalog.scanning.ahead import Crew
from catalog.scanning.patience import Patience
from oci.client import RegistryClient
from oci.errors import BadAnswer, NotFound, RegistryError
from oci.names import RepositoryName, TagName

MOST_REPOSITORIES: Final = 1_000_000
MOST_TAGS: Final = 1_000_000  # of one repository; pages that never end would otherwise fill the memory
_LONG_CATALOG: Final = gettext_noop("the catalog lists more than %(n)s repositories")
_LONG_LIST: Final = gettext_noop("it lists more than %(n)s tags")
SENTENCES: Final = (_LONG_CATALOG, _LONG_LIST)


@dataclass(frozen=True, slots=True)
class CatalogListing:
    """All repositories, to the last page, and how many names broke the grammar."""

    names: tuple[RepositoryName, ...]
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class TagListing:
    """The tags of one repository, in the registry's order; with `failure` it says nothing of what is there.

    `unknown`: the registry says that it knows no repository of this name.
    """

    repository: RepositoryName
    tags: tuple[TagName, ...] = ()
    rejected: int = 0
    failure: RegistryError | None = None
    unknown: bool = False


def list_catalog(client: RegistryClient, told: Callable[[int], None]) -> CatalogListing:
    """Read the catalog to its end, or raise: a part of it is worth nothing. `told` hears how many names there are."""
    names: list[RepositoryName] = []
    rejected = 0
    for page in client.repositories():
        names += page.names
        rejected += page.rejected
        told(len(names))
        if len(names) > MOST_REPOSITORIES:
            raise BadAnswer(_LONG_CATALOG % {"n": f"{MOST_REPOSITORIES:,}"})
    return CatalogListing(tuple(names), rejected)


def list_tags(client: RegistryClient, repository: RepositoryName) -> TagListing:
    """A JSON NAME_UNKNOWN for a repository that the catalog lists means: no tags. Any other error: not known."""
    tags: list[TagName] = []
    rejected = 0
    try:
        for page in client.tags(repository):
            tags += page.names
            rejected += page.rejected
            if len(tags) > MOST_TAGS:
                return TagListing(repository, failure=BadAnswer(_LONG_LIST % {"n": f"{MOST_TAGS:,}"}))
    except NotFound as error:
        if error.unknown_name:
            return TagListing(repository, unknown=True)
        return TagListing(repository, failure=error)
    except RegistryError as error:
        return TagListing(repository, failure=error)
    return TagListing(repository, tuple(tags), rejected)


def list_all_tags(
    crew: Crew, client: RegistryClient, names: tuple[RepositoryName, ...], patience: Patience
) -> Iterator[TagListing]:
    """Each repository's listing, in the order of `names`; raises Unreachable when the registry is plainly gone."""

    def listed(name: RepositoryName) -> TagListing:
        patience.check()
        listing = list_tags(client, name)
        patience.heard(listing.failure)
        return listing

    yield from crew.map(listed, names)
