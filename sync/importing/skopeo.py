"""The YAML source of `skopeo sync` (skopeo-sync(1), "YAML file content"): a mapping of registries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from oci.errors import InvalidName
from oci.names import Digest, parse_tag
from sync.choosing import Choice
from sync.details import Details
from sync.importing.document import Expected, Field, parse_document
from sync.importing.expressions import unanchored
from sync.importing.imported import Code, Collected, Imported, reference_of
from sync.importing.semver import with_ranges

_BY: Final = ("images", "images-by-tag-regex", "images-by-semver")
_KNOWN: Final = frozenset({*_BY, "credentials", "tls-verify"})
_CODES: Final = {"cert-dir": Code.CERTIFICATE}


def read_skopeo(text: str, *, target: str, into: str = "{name}") -> Imported:
    """`target` and `into` are what the file does not say; skopeo itself goes by {name} alone. Raises NotImported."""
    document = parse_document(text)
    collected = Collected()
    for host, at in document.mapping().items():
        if not host.startswith("x-"):
            _Registry(collected, host, at, target, into).read()
    collected.remark(document, Code.COMMAND_LINE)
    return collected.imported()


@dataclass(frozen=True, slots=True)
class _Registry:
    """`host` may be followed by the beginning of a path."""

    collected: Collected
    host: str
    at: Field
    target: str
    into: str

    def read(self) -> None:
        said = self.at.mapping()
        self.collected.look_over(said, _KNOWN, _CODES)
        self._credentials(said)
        for by in _BY:
            for repository, at in said[by].whole_mapping().items() if by in said else ():
                self._add(repository, at, *self._chosen(by, at))

    def _chosen(self, by: str, at: Field) -> tuple[Choice, tuple[str, ...]]:
        if by == "images":
            return _listed(at)
        if by == "images-by-tag-regex":
            return Choice(allow=(unanchored(at.text()),)), ()
        return with_ranges(self.collected, Choice(), [at]), ()

    def _add(self, repository: str, at: Field, choice: Choice, pins: tuple[str, ...]) -> None:
        reference = reference_of(at, f"{self.host}/{repository}:latest")
        details = Details(
            name="",
            source=reference.registry,
            repositories=(reference.repository,),
            target=self.target,
            into=self.into,
            choice=choice,
            pins=pins,
        )
        self.collected.add(at, details)

    def _credentials(self, said: Mapping[str, Field]) -> None:
        host = reference_of(self.at, f"{self.host}/some/name:latest").registry
        is_verified = said["tls-verify"].flag() if "tls-verify" in said else None
        if is_verified is False:
            self.collected.remark(said["tls-verify"], Code.INSECURE)
        credentials = said["credentials"].mapping() if "credentials" in said else {}
        self.collected.look_over(credentials, {"username", "password"}, {})
        known = self.collected.source(self.at, host)
        username = credentials["username"].text() if "username" in credentials else known.username
        password = credentials["password"].text() if "password" in credentials else known.password
        says_tls = known.says_tls or is_verified is True
        self.collected.keep(replace(known, username=username, password=password, says_tls=says_tls))


def _listed(at: Field) -> tuple[Choice, tuple[str, ...]]:
    """Tags and digests; none of both: all tags."""
    tags: list[str] = []
    pins: list[str] = []
    for item in at.items():
        try:
            if ":" in item.text():
                pins.append(str(Digest.parse(item.text())))
            else:
                tags.append(parse_tag(item.text()))
        except InvalidName:
            raise item.wrong(Expected.NAME) from None
    return Choice(allow=tuple(tags), deny=("*",) if pins and not tags else ()), tuple(pins)
