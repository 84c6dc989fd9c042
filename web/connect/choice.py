"""Which machine and which client the page speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest

from web.commands.images import NAMES
from web.pull_tool import tool_of
from web.typed import chosen

SYSTEMS: Final = {"linux": "Linux", "macos": "macOS", "windows": "Windows"}
CLIENTS: Final = {"docker": "Docker", "containerd": "containerd, Kubernetes", "podman": "Podman, skopeo, Buildah"}
_CLIENT_OF: Final = {
    "podman": "podman",
    "skopeo": "podman",
    "nerdctl": "containerd",
    "crictl": "containerd",
    "kubernetes": "containerd",
}
_TOOL_OF: Final = {"docker": "docker", "podman": "podman", "containerd": "nerdctl"}


@dataclass(frozen=True, slots=True)
class Choice:
    """`preferred` is the client of the tool that the person chose for all pages."""

    system: str
    client: str
    preferred: str

    @classmethod
    def read(cls, request: HttpRequest) -> Choice:
        """What the address says; else the system that the browser names, and the client that the person prefers."""
        preferred = _CLIENT_OF.get(tool_of(request), "docker")
        system = chosen(request, "system", tuple(SYSTEMS)) or system_of(request.headers.get("User-Agent", ""))
        return cls(system, chosen(request, "client", tuple(CLIENTS)) or preferred, preferred)

    @property
    def tool(self) -> str:
        """The tool that the pages would show for this client."""
        return _TOOL_OF[self.client]

    @property
    def tool_name(self) -> str:
        return NAMES[self.tool]


def system_of(user_agent: str) -> str:
    """Linux where a browser names no system that clients run on: servers mostly are."""
    if "Windows" in user_agent:
        return "windows"
    return "macos" if "Macintosh" in user_agent else "linux"
