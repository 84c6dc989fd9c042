"""Names in URLs, of pages and of the API, let in by the spec's grammar alone: what does not fit is a 404."""

from __future__ import annotations

from django.urls import register_converter

from oci.errors import InvalidName
from oci.names import Digest, parse_repository, parse_tag
from registries.models import NAME_PATTERN


class RegistryName:
    regex = NAME_PATTERN

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class _Parsed:
    """The regex only finds where a name ends; the grammar decides whether it is one."""

    regex: str

    def parse(self, value: str) -> object:
        raise NotImplementedError

    def to_python(self, value: str) -> str:
        try:
            return str(self.parse(value))
        except InvalidName as error:
            raise ValueError from error

    def to_url(self, value: object) -> str:
        return str(value)


class RepositoryName(_Parsed):
    """Slashes belong to it. A component `-` can be no part of a name, so what follows one is never swallowed."""

    regex = r"[a-z0-9][a-z0-9._/-]{0,254}"

    def parse(self, value: str) -> object:
        return parse_repository(value)


class TagName(_Parsed):
    regex = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"

    def parse(self, value: str) -> object:
        return parse_tag(value)


class DigestName(_Parsed):
    regex = r"sha(?:256|512):[0-9a-f]{64,128}"

    def parse(self, value: str) -> object:
        return Digest.parse(value)


def register() -> None:
    register_converter(RegistryName, "registry")
    register_converter(RepositoryName, "repository")
    register_converter(TagName, "tag")
    register_converter(DigestName, "digest")
