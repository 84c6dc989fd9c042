"""The parts of a copy put together, as a job does, with a note of what went through."""

from __future__ import annotations

from typing import Any, Self

from oci.client import RegistryClient
from oci.names import parse_repository, parse_tag
from oci.transfer.attached import Attached, Wanted
from oci.transfer.blobs import Blobs
from oci.transfer.heads import head
from oci.transfer.images import Copied, Images, Order
from oci.transfer.meter import Tally
from oci.transfer.selection import Selection


class Copier:
    def __init__(self, source: RegistryClient, target: RegistryClient, **of_blobs: Any) -> None:
        self.source, self.target = source, target
        self.tally = Tally()
        self.blobs = Blobs(source, target, at_once=4, **of_blobs)
        self.images = Images(source, target, self.blobs)
        self.attached = Attached(source, target, self.images)

    def copy(
        self,
        repository: str,
        tag: str,
        *,
        to: str = "",
        selection: Selection | None = None,
        wanted: Wanted | None = None,
    ) -> Copied:
        """Everything, and then the tag."""
        name = parse_repository(repository)
        found = head(self.source, name, parse_tag(tag))
        assert found is not None
        into = parse_repository(to or repository)
        order = Order(name, found.digest, into, parse_tag(tag), selection or Selection(), meter=self.tally)
        copied, top = self.images.place(order)
        if wanted:
            self.attached.bring(order, copied, wanted)
        self.images.put_tag(order, top)
        return copied

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.blobs.close()
