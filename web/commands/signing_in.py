"""The commands by which clients sign in to a registry."""

from __future__ import annotations

from typing import Final

from catalog.models import Manifest
from registries.models import Registry
from web.commands.images import IMAGES
from web.commands.lines import Command, asks_who, host_of, in_shell

# Over https, and over plain http.
_LOGINS: Final = {
    "docker": ("docker login", "docker login"),
    "compose": ("docker login", "docker login"),
    "podman": ("podman login", "podman login --tls-verify=false"),
    "skopeo": ("skopeo login", "skopeo login --tls-verify=false"),
    "nerdctl": ("nerdctl login", "nerdctl --insecure-registry login"),
    "crane": ("crane auth login -u USER --password-stdin",) * 2,
    "helm": ("helm registry login", "helm registry login --plain-http"),
    "oras": ("oras login", "oras login --plain-http"),
}


def login_commands(registry: Registry, kind: str = Manifest.Kind.IMAGE, tool: str = "") -> list[Command]:
    """How clients sign in to `registry`; none where it asks nobody who they are, or was never tested.

    For an image: how `tool` does, or without one docker and skopeo.
    """
    if not asks_who(registry):
        return []
    if kind in IMAGES:
        tools = (tool,) if tool else ("docker", "skopeo")
    elif kind == Manifest.Kind.MALFORMED:
        tools = ("skopeo",)
    else:
        tools = ("helm", "oras") if kind == Manifest.Kind.CHART else ("oras",)
    return [command for command in (sign_in(registry, tool) for tool in tools) if command]


def sign_in(registry: Registry, tool: str) -> Command | None:
    """The command of one tool; None of crictl, which keeps no login. A cluster is given a secret."""
    host = in_shell(host_of(registry))
    if tool == "kubernetes":
        verb = "kubectl create secret docker-registry my-login"
        return Command(tool, verb, f"--docker-server={host} --docker-username=USER --docker-password=PASSWORD")
    if tool not in _LOGINS:
        return None
    over_tls, in_clear = _LOGINS[tool]
    return Command(tool, in_clear if registry.plain_http else over_tls, host)
