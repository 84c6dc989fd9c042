"""The static files, of which WhiteNoise takes stock anew for each client of a test, which are thousands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from whitenoise.base import WhiteNoise
from whitenoise.responders import Redirect, StaticFile


@contextmanager
def looked_at_once() -> Iterator[None]:
    """Until something is laid into the folder."""
    look = WhiteNoise.update_files_dictionary
    known: dict[tuple[str, str, int], dict[str, StaticFile | Redirect]] = {}

    def update(self: WhiteNoise, root: str, prefix: str) -> None:
        seen = (root, prefix, Path(root).stat().st_mtime_ns)
        if seen not in known:
            before, self.files = self.files, {}
            look(self, root, prefix)
            known[seen], self.files = self.files, before
        self.files |= known[seen]

    WhiteNoise.update_files_dictionary = update
    try:
        yield
    finally:
        WhiteNoise.update_files_dictionary = look
