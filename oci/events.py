"""The notification envelope of distribution: what a registry says has happened, as values.

Spec: distribution, "Work with notifications". All of an event is what its sender claims, and most of it what somebody
claimed to the sender: a field that is no such thing is as if it were absent, and nothing here raises for its sake.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from oci.config import parse_time
from oci.document import load_object, size
from oci.errors import BadAnswer, InvalidName, printable
from oci.lenient import map_of, read, text_of
from oci.media_types import INDEXES, MANIFESTS, SCHEMA1
from oci.names import Digest, RepositoryName, TagName, parse_repository, parse_tag

if TYPE_CHECKING:
    from collections.abc import Callable

MEDIA_TYPE: Final = "application/vnd.docker.distribution.events.v1+json"
_ID_LENGTH: Final = 64
_SHORT: Final = 255  # characters of a name, an address, a user agent
_MOST_EVENTS: Final = 1_000  # distribution sends one at a time; all of an envelope takes effect together
_OF_A_MANIFEST: Final = MANIFESTS | INDEXES | SCHEMA1
_NameT = TypeVar("_NameT")


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `action` is push, pull, mount or delete, or a word that we do not know.

    `at`, `actor`, `address` and `user_agent` are claimed. `digest`, `tag` and `repository` are None where the event
    names none, and where what it names is no such name. `instance` is the running registry that sent it.
    """

    id: str
    action: str
    at: datetime | None = None
    repository: RepositoryName | None = None
    tag: TagName | None = None
    digest: Digest | None = None
    media_type: str = ""
    size: int = 0  # bytes of the document or the blob
    from_repository: RepositoryName | None = None  # of a mount
    method: str = ""  # of the request that caused it
    actor: str = ""
    address: str = ""  # without its port
    user_agent: str = ""
    instance: str = ""
    raw: bytes = b""

    @property
    def is_of_manifest(self) -> bool:
        """It says so: by the media type, which deletes do not tell, or by a tag, which no blob has."""
        return self.media_type in _OF_A_MANIFEST or self.tag is not None

    @property
    def is_of_index(self) -> bool:
        return self.media_type in INDEXES


@dataclass(frozen=True, slots=True)
class Rejected:
    """A part of an envelope that is no event, and why."""

    raw: bytes
    why: str


def parse_envelope(body: bytes) -> tuple[list[Event], list[Rejected]]:
    """The events of an envelope, and those parts of it that are none. Raises BadAnswer when it is no envelope."""
    document = load_object(body, "the envelope")
    entries = document.get("events")
    if not isinstance(entries, list):
        raise BadAnswer("the envelope has no list of events")
    if len(entries) > _MOST_EVENTS:
        raise BadAnswer(f"the envelope has {len(entries)} events, more than {_MOST_EVENTS}")
    events: list[Event] = []
    rejected: list[Rejected] = []
    for entry in entries:
        raw = json.dumps(entry, separators=(",", ":")).encode("utf-8", "backslashreplace")
        try:
            events.append(_event(entry, raw))
        except BadAnswer as error:
            rejected.append(Rejected(raw, str(error)))
    return events, rejected


def _event(entry: Any, raw: bytes) -> Event:
    if not isinstance(entry, dict):
        raise BadAnswer("the event is not an object")
    name, action = text_of(entry.get("id")), text_of(entry.get("action"))
    if not name or len(name) > _ID_LENGTH:
        raise BadAnswer("the event has no id by which it could be told from others")
    if not action:
        raise BadAnswer("the event names no action")
    target, request = map_of(entry.get("target")), map_of(entry.get("request"))
    return Event(
        id=name,
        action=_short(action),
        at=parse_time(text_of(entry.get("timestamp"))),
        repository=_name(parse_repository, target.get("repository")),
        tag=_name(parse_tag, target.get("tag")),
        digest=_name(Digest.parse, target.get("digest")),
        media_type=_short(target.get("mediaType")),
        size=read(size, target.get("size"), 0),
        from_repository=_name(parse_repository, target.get("fromRepository")),
        method=_short(request.get("method")),
        actor=_short(map_of(entry.get("actor")).get("name")),
        address=_address(text_of(request.get("addr"))),
        user_agent=_short(request.get("useragent")),
        instance=_short(map_of(entry.get("source")).get("instanceID")),
        raw=raw,
    )


def _name(parse: Callable[[str], _NameT], value: Any) -> _NameT | None:
    try:
        return parse(text_of(value))
    except InvalidName:
        return None


def _short(value: Any) -> str:
    return printable(text_of(value), _SHORT)


def _address(value: str) -> str:
    """`10.0.0.7:51320`, `[fd00::7]:51320`, and what proxies write: an address alone; else whatever it is."""
    host, colon, port = value.rpartition(":")
    if colon and port.isdecimal() and (":" not in host or (host[:1] + host[-1:]) == "[]"):
        value = host
    return printable(value.removeprefix("[").removesuffix("]"), _SHORT)
