"""A registry as a client meets it, and the pieces that the steps to it are made of."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from registries.addresses import is_loopback
from registries.models import Registry
from web.commands.lines import asks_who, host_of, in_shell


@dataclass(frozen=True, slots=True)
class File:
    """A file of a client: where it lies, and all that it has to hold."""

    path: str
    content: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: a sentence, then a file to write or lines to run, or neither.

    Where it `is_aside` it is for some alone, or the same in another way.
    """

    text: str
    files: tuple[File, ...] = ()
    lines: tuple[str, ...] = ()
    is_aside: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """`host` is the host as clients type it, with its port where it has one; `prefix` what a name begins with."""

    name: str
    host: str
    prefix: str
    plain_http: bool
    asks: bool | None  # None where no test has told
    has_ca: bool  # Berth was given the certificate of its authority
    wants_certificate: bool = False  # it knows Berth by one, so its clients as well

    @classmethod
    def of(cls, registry: Registry) -> Place:
        return cls(
            name=registry.name,
            host=host_of(registry),
            prefix=registry.pull_host,
            plain_http=registry.plain_http,
            asks=asks_who(registry),
            has_ca=bool(registry.ca),
            wants_certificate=bool(registry.client_certificate),
        )

    @property
    def ca_file(self) -> str:
        """What the certificate of its authority is called, as we give it out or as anybody would."""
        return f"{self.name}-ca.crt" if self.has_ca else "ca.crt"

    @property
    def is_this_machine(self) -> bool:
        return is_loopback(urlsplit(f"//{self.host}").hostname or "")

    @property
    def quoted(self) -> str:
        """The host as a shell takes it."""
        return in_shell(self.host)

    @property
    def without_colon(self) -> str:
        """As Docker on Windows calls its folder: no name there holds a colon."""
        return self.host.replace(":", "")

    @property
    def with_underscores(self) -> str:
        """As containerd calls its folder on Windows: `registry.example.org_5000_`."""
        name, colon, port = self.host.rpartition(":")
        return f"{name}_{port}_" if colon and port.isdigit() else self.host

    def example(self, name: str) -> str:
        """`name` in this registry, for a shell."""
        return in_shell(f"{self.prefix}/{name}")
