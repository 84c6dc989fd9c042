"""The commands that fetch what is no image of a container: charts, artifacts, and what nobody could read."""

from __future__ import annotations

import re
from typing import Final

from catalog.models import Manifest
from web.commands.images import IMAGES
from web.commands.lines import Command, in_shell, joined

# What Helm takes for a version; any other tag of a chart it does not ask for.
_HELM_VERSION: Final = re.compile(
    r"v?[0-9]+(?:\.[0-9]+){0,2}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:_[0-9A-Za-z.-]+)?", re.ASCII
)


def fetch_other(reference: str, kind: str, *, plain_http: bool) -> list[Command]:
    """The usual one first; none of an image."""
    if kind in IMAGES:
        return []
    if kind == Manifest.Kind.MALFORMED:
        verb = joined("skopeo inspect --raw", plain_http and "--tls-verify=false")
        return [Command("skopeo", verb, in_shell(f"docker://{reference}"))]
    oras = Command("oras", joined("oras pull", plain_http and "--plain-http"), in_shell(reference))
    helm = _helm(reference, plain_http=plain_http) if kind == Manifest.Kind.CHART else None
    return [helm, oras] if helm else [oras]


def _helm(reference: str, *, plain_http: bool) -> Command | None:
    """By digest since Helm 3.18, by version since 3.8. A version's `+` is `_` in a tag, which cannot hold it."""
    verb = joined("helm pull", plain_http and "--plain-http")
    if "@" in reference:
        return Command("helm", verb, in_shell(f"oci://{reference}"))
    repository, _, tag = reference.rpartition(":")
    if not _HELM_VERSION.fullmatch(tag):
        return None
    return Command("helm", verb, f"{in_shell(f'oci://{repository}')} --version {tag.replace('_', '+')}")
