"""The commands that fetch an image, one a tool."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.models import Manifest

_IMAGES = frozenset({Manifest.Kind.IMAGE, Manifest.Kind.INDEX, Manifest.Kind.SCHEMA1})


@dataclass(frozen=True, slots=True)
class Command:
    """`verb` is what is always the same, `rest` what names this image."""

    tool: str
    verb: str
    rest: str


def pull_commands(reference: str, kind: str, *, plain_http: bool) -> list[Command]:
    """The usual one first, at least one. `reference` is as clients type it. Helm asks by version, not by digest."""
    if kind == Manifest.Kind.CHART and "@" not in reference:
        repository, _, version = reference.rpartition(":")
        verb = "helm pull --plain-http" if plain_http else "helm pull"
        helm = Command("helm", verb, f"oci://{repository} --version {version}")
        return [helm, _oras(reference, plain_http=plain_http)]
    if kind == Manifest.Kind.MALFORMED:
        return [Command("skopeo", "skopeo inspect --raw", f"docker://{reference}")]
    if kind not in _IMAGES:
        return [_oras(reference, plain_http=plain_http)]
    return [
        Command("docker", "docker pull", reference),
        Command("podman", "podman pull --tls-verify=false" if plain_http else "podman pull", reference),
        Command("skopeo", "skopeo copy --src-tls-verify=false" if plain_http else "skopeo copy", _into(reference)),
        Command("crane", "crane pull --insecure" if plain_http else "crane pull", f"{reference} image.tar"),
    ]


def _oras(reference: str, *, plain_http: bool) -> Command:
    return Command("oras", "oras pull --plain-http" if plain_http else "oras pull", reference)


def _into(reference: str) -> str:
    return f"docker://{reference} oci:image"
