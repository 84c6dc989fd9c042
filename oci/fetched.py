"""A manifest as it was fetched: the exact bytes, their digest, and what they mean once somebody asks."""

from __future__ import annotations

from typing import Final

from oci.errors import BadAnswer, printable
from oci.media_types import bare
from oci.model import Manifest, parse_manifest
from oci.names import Digest

_MEDIA_TYPE_LENGTH: Final = 255


class Fetched:
    """A manifest, its digest, and the exact bytes that the digest is of.

    The bytes are a fact also when nothing can be made of them: then `manifest` is None and `problem` a sentence.
    They are parsed when that is first asked: most of what a scan fetches it knows already.
    """

    __slots__ = ("_content_type", "_parsed", "content", "digest")

    def __init__(self, digest: Digest, content_type: str, content: bytes) -> None:
        """`content_type` is what they came with; "" where nothing said what they are."""
        self.digest, self.content, self._content_type = digest, content, content_type
        self._parsed: tuple[Manifest | None, str, str] | None = None

    def __repr__(self) -> str:
        return f"Fetched({self.digest})"

    @property
    def weight(self) -> int:
        """Bytes that it holds."""
        return len(self.content)

    @property
    def manifest(self) -> Manifest | None:
        return self._parse()[0]

    @property
    def media_type(self) -> str:
        return self._parse()[1]

    @property
    def problem(self) -> str:
        """Why nothing can be made of the bytes; "" where something can."""
        return self._parse()[2]

    def _parse(self) -> tuple[Manifest | None, str, str]:
        if self._parsed is None:
            try:
                manifest = parse_manifest(self._content_type, self.content)
            except BadAnswer as error:
                self._parsed = None, printable(bare(self._content_type), _MEDIA_TYPE_LENGTH), str(error)
            else:
                self._parsed = manifest, manifest.media_type, ""
        return self._parsed
