"""The sections of the page Connect a client, for one registry, one system and one client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from django.utils.translation import gettext as _

from web.commands.lines import in_shell
from web.connect import containerd, docker, podman
from web.connect.choice import Choice
from web.connect.place import Place, Step


class _Client(Protocol):
    """A module of steps."""

    def trust(self, place: Place, system: str) -> list[Step]: ...
    def allow_plain_http(self, place: Place, system: str) -> list[Step]: ...
    def sign_in(self, place: Place, system: str) -> list[Step]: ...
    def push(self, place: Place, system: str) -> list[Step]: ...


_FOLDERS: Final = {
    ("docker", "linux"): "/etc/docker/certs.d/",
    ("docker", "macos"): "~/.docker/certs.d/",
    ("docker", "windows"): "~/.docker/certs.d/",
    ("containerd", "linux"): "/etc/containerd/certs.d/",
    ("podman", "linux"): "/etc/containers/certs.d/",
}
_CLIENTS: Final[dict[str, _Client]] = {"docker": docker, "containerd": containerd, "podman": podman}


@dataclass(frozen=True, slots=True)
class Guide:
    """What has to be done, in this order; an empty list where nothing has."""

    plain_http: list[Step]
    trust: list[Step]
    certificate: list[Step]  # of the client's own
    sign_in: list[Step]
    push: list[Step]
    others: list[Step]

    @classmethod
    def of(cls, place: Place, choice: Choice) -> Guide:
        client, system = _CLIENTS[choice.client], choice.system
        return cls(
            plain_http=client.allow_plain_http(place, system) if place.plain_http else [],
            trust=client.trust(place, system),
            certificate=_own_certificate(place, choice) if place.wants_certificate else [],
            sign_in=client.sign_in(place, system) if place.asks is not False else [],
            push=client.push(place, system),
            others=_charts_and_artifacts(place),
        )


def _own_certificate(place: Place, choice: Choice) -> list[Step]:
    folder = f"{_FOLDERS.get((choice.client, choice.system)) or _FOLDERS[choice.client, 'linux']}{place.host}"
    text = _("Put client.cert, in PEM form, and its key client.key into %(folder)s, readable for nobody else.")
    return [Step(text % {"folder": folder})]


def _charts_and_artifacts(place: Place) -> list[Step]:
    """No daemon pushes them, so what they have to know stands on the line."""
    flag = "--plain-http " if place.plain_http else f"--ca-file {place.ca_file} " if place.has_ca else ""
    charts, files = in_shell(f"oci://{place.prefix}/charts"), place.example("files/report:1.0")
    return [
        Step(_("A Helm chart, as “helm package” made it."), lines=(f"helm push {flag}chart-1.0.0.tgz {charts}",)),
        Step(_("Any file, with ORAS."), lines=(f"oras push {flag}{files} report.pdf",)),
    ]
