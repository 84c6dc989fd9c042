"""What lies behind a digest in a registry, for events: a manifest comes with its config, so that lists are whole."""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from catalog.recording.content import Content
from catalog.recording.records import ConfigRecord, ManifestRecord, compressed
from catalog.scanning.api import ApiContents, read_tag
from catalog.scanning.known import KnownTag
from catalog.scanning.reading import Answer, TagReading
from oci.client import RegistryClient
from oci.config import CONFIG_LIMIT
from oci.errors import RegistryError
from oci.fetched import Fetched
from oci.model import ImageManifest
from oci.names import RepositoryName, TagName

_WITH_CONFIG: Final = frozenset({"image", "chart"})  # kinds whose config says something to read


class ArrivingContents:
    """As `scanning.api` reads them, and the config of each that is new."""

    def __init__(self, client: RegistryClient, check: Callable[[], None]) -> None:
        """`check` raises what ends the reading before its end."""
        self._check = check
        self._client, self._plain, self.blob = client, ApiContents(client), client.blob

    def tag(self, repository: RepositoryName, tag: TagName, known: KnownTag | None) -> TagReading:
        reading = read_tag(self._client, repository, tag, known)
        if not isinstance(reading.content, Fetched):
            return reading
        return replace(reading, content=self._with_config(repository, reading.content))

    def look(self, repository: RepositoryName, digests: Sequence[str], known: Container[str], /) -> Generator[Answer]:
        for answer in self._plain.look(repository, digests, known):
            self._check()
            yield self._with_config(repository, answer) if isinstance(answer, Fetched) else answer

    def _with_config(self, repository: RepositoryName, fetched: Fetched) -> Content:
        """One whose config does not come now is read by a scan, and its fault told there."""
        image = fetched.manifest
        if not (isinstance(image, ImageManifest) and image.kind in _WITH_CONFIG and image.config.size <= CONFIG_LIMIT):
            return fetched
        record = ManifestRecord.of(fetched)._replace(document=compressed(fetched.content))
        with suppress(RegistryError):
            config = self._client.blob(repository, image.config.digest, limit=CONFIG_LIMIT)
            record = record._replace(config=ConfigRecord.of(config), config_document=compressed(config))
        return record
