"""The paths of the distribution API: the one place where a name becomes part of a request.

Every name is checked here once more, whatever its type says: `..` survives quoting, and HTTP clients fold it.
"""

from __future__ import annotations

from typing import Final

from oci.names import Digest, RepositoryName, TagName, parse_repository, parse_tag

BASE: Final = "v2/"
CATALOG: Final = "v2/_catalog"
CATALOG_SCOPE: Final = "registry:catalog:*"


def tags(repository: RepositoryName) -> str:
    return f"v2/{parse_repository(repository)}/tags/list"


def manifest(repository: RepositoryName, target: TagName | Digest) -> str:
    name = target if isinstance(target, Digest) else parse_tag(target)
    return f"v2/{parse_repository(repository)}/manifests/{name}"


def blob(repository: RepositoryName, digest: Digest) -> str:
    return f"v2/{parse_repository(repository)}/blobs/{digest}"


def referrers(repository: RepositoryName, digest: Digest) -> str:
    return f"v2/{parse_repository(repository)}/referrers/{digest}"


def uploads(repository: RepositoryName) -> str:
    return f"v2/{parse_repository(repository)}/blobs/uploads/"


def scope(repository: RepositoryName, *actions: str) -> str:
    """What a token must allow (distribution, "token scope"); the registry may call it otherwise."""
    return f"repository:{parse_repository(repository)}:{','.join(actions)}"
