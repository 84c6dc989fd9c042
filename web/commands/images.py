"""The commands that fetch an image of a container, a tool each, by tag or by digest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from catalog.models import Manifest
from web.commands.lines import Command, in_shell, in_yaml, joined

IMAGES: Final = frozenset({Manifest.Kind.IMAGE, Manifest.Kind.INDEX, Manifest.Kind.SCHEMA1})


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image as clients type it, and what a tool has to know of it.

    `platform` is one that `is_platform`: of an index that one is fetched, else all of them where the tool can.
    One that is named by its digest is told its platform too, since docker asks for its own.
    """

    reference: str
    kind: str
    plain_http: bool = False
    platform: str = ""

    @property
    def is_index(self) -> bool:
        return self.kind == Manifest.Kind.INDEX

    @property
    def asks_platform(self) -> str:
        return self.platform and f"--platform {self.platform}"


def _docker(wanted: Wanted) -> Command:
    return Command("docker", joined("docker pull", wanted.asks_platform), in_shell(wanted.reference))


def _podman(wanted: Wanted) -> Command:
    insecure = wanted.plain_http and "--tls-verify=false"
    return Command("podman", joined("podman pull", wanted.asks_platform, insecure), in_shell(wanted.reference))


def _nerdctl(wanted: Wanted) -> Command:
    """Its flag stands before the verb: it is one of all of nerdctl."""
    nerdctl = joined("nerdctl", wanted.plain_http and "--insecure-registry", "pull", wanted.asks_platform)
    return Command("nerdctl", nerdctl, in_shell(wanted.reference))


def _skopeo(wanted: Wanted) -> Command:
    """It keeps the digest of an index only when it copies all of it."""
    source = wanted.plain_http and "--src-tls-verify=false"
    if not wanted.is_index:
        verb = joined("skopeo copy", source)
    elif wanted.platform:
        os, architecture, variant = [*wanted.platform.split("/"), ""][:3]
        chosen = f"--override-os {os} --override-arch {architecture}"
        verb = joined("skopeo", chosen, variant and f"--override-variant {variant}", "copy", source)
    else:
        verb = joined("skopeo copy", "--all", source)
    return Command("skopeo", verb, f"{in_shell(f'docker://{wanted.reference}')} oci:image")


def _crane(wanted: Wanted) -> Command:
    """A tarball holds one image, an OCI layout a whole index."""
    insecure, reference = wanted.plain_http and "--insecure", in_shell(wanted.reference)
    if not wanted.is_index:
        return Command("crane", joined("crane pull", insecure), f"{reference} image.tar")
    if wanted.platform:
        return Command("crane", joined("crane pull", wanted.asks_platform, insecure), f"{reference} image.tar")
    return Command("crane", joined("crane pull", "--format=oci", insecure), f"{reference} image")


def _crictl(wanted: Wanted) -> Command | None:
    """It asks for the platform of its node and no other, and has no flag for plain http: that is containerd's."""
    if wanted.is_index and wanted.platform:
        return None
    return Command("crictl", "crictl pull", in_shell(wanted.reference))


def _kubernetes(wanted: Wanted) -> Command | None:
    """A line of a container in a pod; a node takes of an index what it is itself."""
    if wanted.is_index and wanted.platform:
        return None
    return Command("kubernetes", "image:", in_yaml(wanted.reference))


def _compose(wanted: Wanted) -> Command:
    """Lines of a service."""
    platform = f"\nplatform: {wanted.platform}" if wanted.platform else ""
    return Command("compose", "image:", in_yaml(wanted.reference) + platform)


_Fetch = Callable[[Wanted], Command | None]
# In the order of the tabs; the first is for who chose none.
_FETCHES: Final[dict[str, _Fetch]] = {
    "docker": _docker,
    "podman": _podman,
    "nerdctl": _nerdctl,
    "kubernetes": _kubernetes,
    "compose": _compose,
    "crictl": _crictl,
    "skopeo": _skopeo,
    "crane": _crane,
}
TOOLS: Final = tuple(_FETCHES)
FIRST: Final = TOOLS[0]
NAMES: Final = {tool: tool for tool in TOOLS} | {
    "docker": "Docker",
    "podman": "Podman",
    "kubernetes": "Kubernetes",
    "compose": "Compose",
}


def fetch_image(tool: str, wanted: Wanted) -> Command | None:
    """How `tool`, one of TOOLS, fetches it; None where it cannot."""
    return _FETCHES[tool](wanted)
