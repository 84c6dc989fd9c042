"""What a file of another tool came to: rules, the registries that they name, and what was not taken over."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from oci.errors import InvalidName
from oci.names import Reference
from oci.urls import Url
from registries.presets import preset_at
from sync.choosing import InvalidPattern
from sync.details import Details
from sync.importing.document import Expected, Field
from sync.ranges import InvalidRange

DOCKER_HUB: Final = "docker.io"
OFFICIAL: Final = "library/"
TEMPLATE: Final = "{{"  # as Go writes them: what they stand for is known where the tool runs

_DOCKER_HUB_OF_OLD: Final = "https://index.docker.io/v1/"  # as docker itself keeps its credentials
_DOCKER_HUB_API: Final = "registry-1.docker.io"
_LONGEST_NAME: Final = 40
_LONGEST_DETAIL: Final = 255


class Code(StrEnum):
    """Why something is not as it was there: what a page makes a sentence of."""

    # The rule is left out:
    NAME_IN_TEMPLATE = "name-in-template"  # the source or the target is only known where the tool runs
    NO_REGISTRY = "no-registry"  # it is a folder
    RETAGGED = "retagged"  # under another tag than at the source
    PATTERN = "pattern"  # no expression that RE2 reads, or too long a one
    RANGE = "range"  # no range that we read
    REPOSITORIES = "repositories"  # chosen by expressions that no pattern of ours says
    # The rule is there, and differs:
    SPLIT = "split"  # several sets of tags became as many rules
    LISTED = "listed"  # all repositories: the source has to be one that lists them
    HALF_ANCHORED = "half-anchored"  # `a|b` there is all that begins with a or ends with b; it is so here too
    FLAVOURS = "flavours"  # a range there is of releases alone: what has more than numbers is denied here
    BOUND = "bound"  # a bound that is a pre-release: here it is the release
    PRE_RELEASES = "pre-releases"  # one bound has a suffix: here all of them let pre-releases and flavours in
    SPARSE = "sparse"  # only where the target takes such an index
    ATTACHED = "attached"  # referrers or tags of tools alone: here it is both
    BACKUP = "backup"  # our own name for backups is used
    SCHEDULE = "schedule"  # the rule runs by hand
    ROUNDED = "rounded"  # to whole minutes, five at least
    # What is said of a registry differs:
    TEMPLATE = "template"  # a credential that is only known where the tool runs
    CERTIFICATE = "certificate"  # to be given with the registry
    INSECURE = "insecure"  # we always look at certificates
    OTHER_SCHEME = "other-scheme"  # one of ours is at that host and port, by the other one of http and https
    PER_SOURCE = "per-source"  # a floor of the quota: here it is of the source, the highest one
    # What was said has no counterpart:
    NOT_NEEDED = "not-needed"  # we see to it without being told
    NOT_HERE = "not-here"  # we do no such thing
    UNKNOWN = "unknown"  # nobody here knows it, or that value of it
    COMMAND_LINE = "command-line"  # what was said there is not in the file: all platforms are copied


_LEAVES_OUT: Final = frozenset(
    {Code.NAME_IN_TEMPLATE, Code.NO_REGISTRY, Code.RETAGGED, Code.PATTERN, Code.RANGE, Code.REPOSITORIES}
)


@dataclass(frozen=True, slots=True)
class Remark:
    """`where` in the file, as "sync[0].tags.allow[1]", and its line. `detail` is never a secret."""

    where: str
    line: int
    code: Code
    detail: str = ""

    @property
    def leaves_out(self) -> bool:
        """A rule is missing for it."""
        return self.code in _LEAVES_OUT


@dataclass(frozen=True, slots=True)
class Source:
    """A registry that the file names, as source or as target; None where it sets no bound. `url` is that of its API.

    `says_tls`: it is asked over TLS by what the file says, and not because it says nothing. `where` and `line`: of the
    first that is said of it.
    """

    host: str
    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    plain_http: bool = False
    says_tls: bool = False
    at_once: int | None = None
    requests_per_second: float | None = None
    quota_floor: int | None = None
    where: str = field(default="", compare=False)
    line: int = field(default=1, compare=False)

    @property
    def has_password(self) -> bool:
        return bool(self.password)


@dataclass(frozen=True, slots=True)
class Imported:
    """`source` of the details is the host of one of `sources`, and so is `target` where the file says it.

    Who makes rules of them puts the names of registries there.
    """

    details: tuple[Details, ...]
    sources: tuple[Source, ...]
    remarks: tuple[Remark, ...]


class Collected:
    """What has been read so far."""

    def __init__(self) -> None:
        self._details: dict[str, Details] = {}
        self._sources: dict[str, Source] = {}
        self._remarks: list[Remark] = []
        self._numbers: Counter[str] = Counter()  # of rules that would have one name

    def remark(self, at: Field, code: Code, detail: str = "") -> None:
        self._remarks.append(Remark(at.where, at.line, code, detail[:_LONGEST_DETAIL]))

    def look_over(self, mapping: Mapping[str, Field], known: Collection[str], codes: Mapping[str, Code]) -> None:
        """A remark on each key that is not `known`; of those that begin with "x-" nothing is expected."""
        for key, value in mapping.items():
            if key not in known and not key.startswith("x-"):
                self.remark(value, codes.get(key, Code.UNKNOWN))

    def add(self, at: Field, details: Details) -> None:
        """Under a name of its own; left out where its choice of tags is none."""
        try:
            details.choice.check()
        except InvalidPattern as error:
            self.remark(at, Code.PATTERN, error.text)
        except InvalidRange as error:
            self.remark(at, Code.RANGE, error.text)
        else:
            self.source(at, details.source)
            name = self._name(details)
            self._details[name] = replace(details, name=name)

    def source(self, at: Field, host: str) -> Source:
        new = Source(host, f"https://{api_of(host)}", where=at.where, line=at.line)
        return self._sources.setdefault(host, new)

    def keep(self, source: Source) -> None:
        self._sources[source.host] = source

    def imported(self) -> Imported:
        return Imported(tuple(self._details.values()), tuple(self._sources.values()), tuple(self._remarks))

    def _name(self, details: Details) -> str:
        repository = details.repositories[0].removeprefix(OFFICIAL)
        if repository == "*":
            repository = f"all-of-{details.source}"
        stem = re.sub(r"[^a-z0-9]+", "-", repository.lower()).strip("-")[-_LONGEST_NAME:].strip("-") or "rule"
        name = stem
        while name in self._details:
            self._numbers[stem] += 1
            number = str(self._numbers[stem] + 1)
            name = f"{stem[: _LONGEST_NAME - len(number) - 1].strip('-')}-{number}"
        return name


def reference_of(at: Field, text: str) -> Reference:
    """With one name for a service that has several, as Docker Hub has. Raises NotImported."""
    try:
        reference = Reference.parse(text)
        preset = preset_at(reference.registry)
        if preset is None or preset.host == reference.registry:
            return reference
        return Reference.parse(f"{preset.host}/{text.partition('/')[2]}")
    except InvalidName:
        raise at.wrong(Expected.NAME) from None


def host_of(at: Field, text: str) -> str:
    """As `reference_of` has it. Raises NotImported."""
    if text == _DOCKER_HUB_OF_OLD:
        return DOCKER_HUB
    reference, preset = reference_of(at, f"{text}/some/name"), preset_at(text)
    if reference.registry != (preset.host if preset else text):  # docker would take it for a name on Docker Hub
        raise at.wrong(Expected.NAME)
    return reference.registry


def api_of(host: str) -> str:
    return _DOCKER_HUB_API if host == DOCKER_HUB else host


def address_of(at: Field, host: str, *, plain_http: bool) -> str:
    """Raises NotImported."""
    address = f"{'http' if plain_http else 'https'}://{host}"
    try:
        Url.parse(address)
    except InvalidName:
        raise at.wrong(Expected.ADDRESS) from None
    return address
