"""Whether a registry that was started anew still says that it has what was removed: a cache that outlives a restart."""

from __future__ import annotations

from cleanup.models import ClassicRun
from oci.errors import RegistryError
from oci.names import Digest, parse_repository
from registries.clients import client_for


def remembered(run: ClassicRun, caller: str) -> str:
    """The digest of a removed blob that the registry says it has; "" where it says so of none that is asked for.

    A push would then leave that blob out, and the image could not be pulled.
    """
    try:
        with client_for(run.registry, caller) as client:
            for digest, name in run.removed_from:
                repository, blob = parse_repository(name), Digest.parse(digest)
                if client.blob_exists(repository, blob) and not client.blob_is_readable(repository, blob):
                    return str(digest)
    except RegistryError:
        return ""  # it cannot be told now, and pushes are taken
    return ""
