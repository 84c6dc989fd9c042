"""What can be copied from a registry, found out without changing anything there, and without a pull that it counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from oci.errors import (
    BadAnswer,
    Denied,
    ForeignRealm,
    NotFound,
    Refused,
    RegistryError,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from oci.names import parse_repository, parse_tag
from oci.transfer.heads import exists

if TYPE_CHECKING:
    from oci.auth import Scheme
    from oci.client import Ping, RegistryClient
    from oci.quota import Quota

_NOT_LET_IN: Final = (Unauthorized, Denied)


class Pull(StrEnum):
    """What came of asking for an image."""

    THERE = "there"
    ABSENT = "absent"
    REFUSED = "refused"
    LATER = "later"  # it wants to be left alone for now
    FAILED = "failed"  # something else went wrong, which says nothing of who may


@dataclass(frozen=True, slots=True)
class Offer:
    """`ping` is None where the registry lets us in to images, though not to its front door.

    `listed`: how many names the first page of the catalog has, None where nobody may read it or it was not asked for.
    `image` is what was asked for, "" for nothing, `pull` what came of it, and `why` what stood in the way. `quota` is
    None where nothing was said of one.
    """

    ping: Ping | None
    auth: Scheme
    listed: int | None
    page_size: int
    image: str = ""
    pull: Pull | None = None
    why: str = ""
    quota: Quota | None = None


def look(client: RegistryClient, image: str = "") -> Offer:
    """Ask what would be asked of it in a copy. `image`: `repository:tag`, or a repository, whose tags are then listed.

    Raises RegistryError where nothing can be had: it is not there, is no registry, or lets us in to nothing.
    """
    ping, refusal = _pinged(client)
    pull, why = _pulled(client, image) if image else (None, "")
    if refusal is not None and pull not in {Pull.THERE, Pull.ABSENT}:
        raise refusal
    listed = None if pull is Pull.LATER else _listed(client)
    transport = client.transport
    return Offer(ping, transport.scheme, listed, client.page_size, image, pull, why, transport.quota)


def _pinged(client: RegistryClient) -> tuple[Ping | None, RegistryError | None]:
    """Some give nobody a token for their front door alone, and yet one for each public image."""
    try:
        return client.ping(), None
    except _NOT_LET_IN as refusal:
        return None, refusal


def _pulled(client: RegistryClient, image: str) -> tuple[Pull, str]:
    name, _, tag = image.partition(":")
    repository = parse_repository(name)
    try:
        if tag:
            return (Pull.THERE if exists(client, repository, parse_tag(tag)) else Pull.ABSENT), ""
        next(client.tags(repository), None)
    except NotFound:
        return Pull.ABSENT, ""
    except TooManyRequests as refusal:
        return Pull.LATER, str(refusal)
    except ForeignRealm:  # to which a person has to say yes
        raise
    except _NOT_LET_IN as refusal:
        return Pull.REFUSED, str(refusal)
    except (Refused, BadAnswer, Unreachable) as error:
        return Pull.FAILED, str(error)
    return Pull.THERE, ""


def _listed(client: RegistryClient) -> int | None:
    """What stands in the way here is no problem of a source: then its repositories are named one by one.

    Nor is one that takes too long: it answered before, and large ones list for longer than anybody waits.
    """
    try:
        page = next(client.repositories(), None)
    except (Refused, BadAnswer, Unreachable):
        return None
    return len(page.names) if page else 0
