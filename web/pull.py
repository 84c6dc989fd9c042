"""The commands that fetch an image, one a tool, and those that sign in before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from catalog.models import Manifest
from registries.models import Registry

_IMAGES: Final = frozenset({Manifest.Kind.IMAGE, Manifest.Kind.INDEX, Manifest.Kind.SCHEMA1})
_PLATFORM: Final = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Command:
    """`verb` is what is always the same, `rest` what names this image."""

    tool: str
    verb: str
    rest: str


def is_platform(text: str) -> bool:
    """Whether a shell may be given it: an index names its platforms as its pusher likes."""
    return len(text) <= 100 and _PLATFORM.fullmatch(text) is not None and not text.startswith("-")  # noqa: PLR2004


def pull_commands(reference: str, kind: str, *, plain_http: bool, platform: str = "") -> list[Command]:
    """The usual one first, at least one. `reference` is as clients type it.

    `platform` is one that `is_platform`: of an index that one is fetched, else all of them where the tool
    can. An image that `reference` names by its digest is told its platform too, since docker asks for its own.
    """
    if kind == Manifest.Kind.CHART and "@" not in reference:  # Helm asks by version, not by digest
        repository, _, version = reference.rpartition(":")
        helm = Command(
            "helm", _with("helm pull", plain_http and "--plain-http"), f"oci://{repository} --version {version}"
        )
        return [helm, _oras(reference, plain_http=plain_http)]
    if kind == Manifest.Kind.MALFORMED:
        return [Command("skopeo", "skopeo inspect --raw", f"docker://{reference}")]
    if kind not in _IMAGES:
        return [_oras(reference, plain_http=plain_http)]
    wanted = platform and f"--platform {platform}"
    return [
        Command("docker", _with("docker pull", wanted), reference),
        Command("podman", _with("podman pull", wanted, plain_http and "--tls-verify=false"), reference),
        _skopeo(reference, kind, plain_http=plain_http, platform=platform),
        _crane(reference, kind, plain_http=plain_http, platform=platform),
    ]


def login_commands(registry: Registry, kind: str = Manifest.Kind.IMAGE) -> list[Command]:
    """How clients sign in to `registry`; none where it asks nobody who they are, or was never tested."""
    if registry.capability("auth") not in {"basic", "bearer"}:
        return []
    host, plain = registry.pull_host.partition("/")[0], registry.plain_http
    oras = Command("oras", _with("oras login", plain and "--plain-http"), host)
    if kind == Manifest.Kind.CHART:
        return [Command("helm", _with("helm registry login", plain and "--plain-http"), host), oras]
    if kind not in {*_IMAGES, Manifest.Kind.MALFORMED}:
        return [oras]
    return [
        Command("docker", "docker login", host),
        Command("skopeo", _with("skopeo login", plain and "--tls-verify=false"), host),
    ]


def _skopeo(reference: str, kind: str, *, plain_http: bool, platform: str) -> Command:
    """It keeps the digest of an index only when it copies all of it."""
    source = plain_http and "--src-tls-verify=false"
    if kind != Manifest.Kind.INDEX:
        verb = _with("skopeo copy", source)
    elif platform:
        os, architecture, variant = [*platform.split("/"), ""][:3]
        chosen = f"--override-os {os} --override-arch {architecture}"
        verb = _with("skopeo", chosen, variant and f"--override-variant {variant}", "copy", source)
    else:
        verb = _with("skopeo copy", "--all", source)
    return Command("skopeo", verb, f"docker://{reference} oci:image")


def _crane(reference: str, kind: str, *, plain_http: bool, platform: str) -> Command:
    """A tarball holds one image, an OCI layout a whole index."""
    insecure = plain_http and "--insecure"
    if kind != Manifest.Kind.INDEX:
        return Command("crane", _with("crane pull", insecure), f"{reference} image.tar")
    if platform:
        return Command("crane", _with("crane pull", f"--platform {platform}", insecure), f"{reference} image.tar")
    return Command("crane", _with("crane pull", "--format=oci", insecure), f"{reference} image")


def _oras(reference: str, *, plain_http: bool) -> Command:
    return Command("oras", _with("oras pull", plain_http and "--plain-http"), reference)


def _with(*words: str | bool) -> str:
    """The words that are there, as one line."""
    return " ".join(word for word in words if isinstance(word, str) and word)
