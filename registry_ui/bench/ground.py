"""What a bench of scans stands on: programs, folders, data, and Berths that have not seen it yet."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry_ui.bench import programs, storage_data
from registry_ui.bench.registries import Registry
from registry_ui.bench.site import Site
from registry_ui.bench.sizes import Size
from registry_ui.bench.storage_data import Shape

_MEMORY: Final = Path("/dev/shm")  # noqa: S108  a folder of our own in it
_LITTLE: Final = 4  # we take at most this part of what is free there
_TAG_BYTES: Final = 20_000  # with all the small files and folders that come with it
_PREFIX: Final = "berth-bench-"


@dataclass(frozen=True, slots=True)
class Ground:
    size: Size
    program: str  # a registry of generation 2
    program_3: str | None
    main: Path  # storage folders
    load: Path
    load_by_folder: Path
    wide: Path
    empty: Site
    say: Callable[[str], None]
    folder: Path

    def registry(self, name: str, storage: Path, program: str = "") -> Registry:
        return Registry(program or self.program, storage, self.folder / "registries" / name)

    def site(self, name: str) -> Site:
        """A Berth that knows nothing yet."""
        return self.empty.copy(self.folder / name)


@contextmanager
def prepared(size: Size, data: Path | None, say: Callable[[str], None]) -> Iterator[Ground]:
    """`data`: the storage folder to measure on; one is written where it is None. All that was made is removed."""
    program, program_3 = programs.of_2(), programs.of_3()
    with (
        scratch(Path(tempfile.gettempdir())) as folder,
        scratch(for_storage([size.main, size.load, size.load, size.wide])) as storage,
    ):
        say("Preparing a Berth")
        empty = Site.new(folder / "empty")
        written = {
            "main": None if data else (size.main, 1),
            "load": (size.load, 2),
            "load-by-folder": (size.load, 3),
            "wide": (size.wide, 4),
        }
        for name, made in written.items():
            if made:
                shape, seed = made
                say(f"Writing data: {shape.repositories:,} repositories of {shape.tags:,} tags")
                storage_data.write(storage / name, shape, seed)
        yield Ground(
            size=size,
            program=program,
            program_3=program_3,
            main=data or storage / "main",
            load=storage / "load",
            load_by_folder=storage / "load-by-folder",
            wide=storage / "wide",
            empty=empty,
            say=say,
            folder=folder,
        )


def for_storage(shapes: Iterable[Shape]) -> Path:
    """In memory where there is plenty: hundreds of thousands of small files are written twenty times as fast there."""
    wanted = sum(_tags(shape) for shape in shapes) * _TAG_BYTES
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _LITTLE * wanted:
        return _MEMORY
    return Path(tempfile.gettempdir())


def _tags(shape: Shape) -> int:
    return shape.repositories * shape.tags


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """A folder of ours in `parent`, for as long as it is needed."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
