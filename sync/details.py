"""What a person may say of a rule: values, as forms, the API and the files of other tools make them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from jobs.schedule import Schedule
from oci.media_types import Kind
from oci.transfer.attached import ALL_KINDS
from oci.transfer.selection import Selection
from sync.choosing import Choice


class Moved(StrEnum):
    """What becomes of a tag of the target that points elsewhere than the one of the source."""

    OVERWRITE = "overwrite"
    BACK_UP = "back-up"  # what it pointed to stays, under another tag
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Details:
    """A rule: what of `source` stands in `target`, and when it is looked after.

    `source` and `target` are names of registries. `repositories` are names, or patterns where the source can be
    listed (`*` crosses slashes). `into` is the name of a repository in the target with {repository}, {namespace} and
    {name} of that of the source, and {registry}. `pins` are digests, "1.27@sha256:…" under a tag or "sha256:…"
    without. `attached`: kinds of what is attached that come along. `backup` is the tag under which {tag} is kept, with
    {date} and {time} in UTC. `bytes_per_second`: None for no cap.
    """

    name: str
    source: str
    repositories: tuple[str, ...]
    target: str
    into: str = "{repository}"
    choice: Choice = field(default_factory=Choice)
    pins: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Selection)
    attached: frozenset[Kind] = ALL_KINDS
    moved: Moved = Moved.OVERWRITE
    backup: str = "{tag}-before-{date}-{time}"
    deletes_gone: bool = False
    schedule: Schedule = field(default_factory=Schedule)
    bytes_per_second: int | None = None
    is_on: bool = True
