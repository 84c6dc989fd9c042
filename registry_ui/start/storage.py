"""The storage folder that scans may read: the local registry's is in the data folder, the operator names another's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from oci.storage import StorageFault, StorageFolder
from registry_ui.start.errors import StartError
from registry_ui.start.options import Options

_VARIABLE: Final = "BERTH_REGISTRY_STORAGE"


def local(options: Options) -> Path:
    """Where the local registry keeps its images."""
    return options.data / "registry"


def told(options: Options) -> dict[str, str]:
    """What Django's processes are told of it on top of what the operator says."""
    return {} if options.registry else {_VARIABLE: str(local(options))}


def check(options: Options) -> None:
    """The local registry keeps its images nowhere else; to ignore who says so would be to start an empty one."""
    named = os.environ.get(_VARIABLE)
    if named and not options.registry and Path(named) != local(options):
        raise StartError(
            f"{_VARIABLE}={named} is not where the local registry keeps its images, which is {local(options)}:"
            " unset it, or name the registry whose folder that is with --registry URL."
        )


def remarks(options: Options) -> list[str]:
    """A sentence where the folder that the operator names cannot be read; it may be mounted later."""
    named = os.environ.get(_VARIABLE)
    if not named or not options.registry:
        return []
    try:
        StorageFolder(named)
    except StorageFault as fault:
        return [f"{_VARIABLE}: {fault} Until then scans ask the registry's API."]
    return []
