"""What a look at a part of an image came to, where it did not come to its being there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_noop

from cleanup.models import CheckFinding
from oci.errors import NotFound, RegistryError, printable
from oci.names import Digest

Code = CheckFinding.Code

_UNKNOWN: Final = ("MANIFEST_UNKNOWN", "BLOB_UNKNOWN", "NAME_UNKNOWN", "MANIFEST_BLOB_UNKNOWN")
_LONGEST: Final = 500  # characters of a sentence
_ABSENT: Final = gettext_noop("%(digest)s is not there")
_UNLINKED: Final = gettext_noop("%(digest)s cannot be served: %(why)s")
_OTHER: Final = gettext_noop("%(digest)s has other bytes than its digest says")
_OTHER_SIZE: Final = gettext_noop("%(digest)s has %(n)s bytes where its manifest says %(size)s")
_NO_TAG: Final = gettext_noop("the manifest that it points to is not there")
_NO_LINK: Final = gettext_noop("it cannot be told where it points to: %(why)s")
_UNTOLD: Final = gettext_noop("%(digest)s does not tell what it is made of: %(why)s")
_SCHEMA1: Final = gettext_noop("%(digest)s is of schema 1, which is not read further")
_DEEP: Final = gettext_noop("%(digest)s lies deeper than indexes are followed")
SENTENCES: Final = (_ABSENT, _UNLINKED, _OTHER, _OTHER_SIZE, _NO_TAG, _NO_LINK, _UNTOLD, _SCHEMA1, _DEEP)


@dataclass(frozen=True, slots=True)
class Fault:
    """`part` is what is missing or differs. What could not be asked for is neither broken nor whole."""

    code: Code
    part: str
    sentence: str

    @property
    def is_broken(self) -> bool:
        return self.code != Code.UNASKED

    @classmethod
    def absent(cls, code: Code, digest: Digest) -> Fault:
        return cls(code, str(digest), _ABSENT % {"digest": digest.short})

    @classmethod
    def unlinked(cls, code: Code, digest: Digest, error: RegistryError) -> Fault:
        """Its link in the storage folder is there, and says nothing that the registry could follow."""
        return cls(code, str(digest), _UNLINKED % {"digest": digest.short, "why": printable(str(error), _LONGEST)})

    @classmethod
    def differs(cls, digest: Digest) -> Fault:
        return cls(Code.DIFFERS, str(digest), _OTHER % {"digest": digest.short})

    @classmethod
    def of_other_size(cls, digest: Digest, size: int, said: int) -> Fault:
        return cls(
            Code.DIFFERS, str(digest), _OTHER_SIZE % {"digest": digest.short, "n": f"{size:,}", "size": f"{said:,}"}
        )

    @classmethod
    def of_tag(cls, digest: str) -> Fault:
        return cls(Code.NO_MANIFEST, digest, _NO_TAG)

    @classmethod
    def of_link(cls, problem: str) -> Fault:
        return cls(Code.UNREADABLE, "", _NO_LINK % {"why": printable(problem, _LONGEST)})

    @classmethod
    def untold(cls, digest: Digest, problem: str) -> Fault:
        """Its bytes are what they are to be, and nobody can tell what they list."""
        said = _UNTOLD if problem else _SCHEMA1
        return cls(Code.UNASKED, str(digest), said % {"digest": digest.short, "why": printable(problem, _LONGEST)})

    @classmethod
    def too_deep(cls, digest: Digest) -> Fault:
        return cls(Code.UNASKED, str(digest), _DEEP % {"digest": digest.short})

    @classmethod
    def unasked(cls, part: str, error: RegistryError) -> Fault:
        return cls(Code.UNASKED, part, printable(str(error), _LONGEST))


def says_absent(error: NotFound) -> bool:
    """The registry itself says that it has it not; a proxy's plain 404 says nothing."""
    return any(error.says(code) for code in _UNKNOWN)
