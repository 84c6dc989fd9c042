"""The steps for containerd, which nerdctl, crictl and the nodes of Kubernetes pull by."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from web.connect import settings_files
from web.connect.docker import keep_password_safe, push_with
from web.connect.place import File, Place, Step

_ON_LINUX: Final = "/etc/containerd"
_ON_WINDOWS: Final = r"C:\Program Files\containerd"


def trust(place: Place, system: str) -> list[Step]:
    """containerd, docs/hosts.md."""
    content = settings_files.hosts_toml(place.host, client=place.wants_certificate)
    if system == "windows":
        folder = f"{_ON_WINDOWS}\\certs.d\\{place.with_underscores}"
        copy = (f"New-Item -ItemType Directory -Force '{folder}'", f"Copy-Item {place.ca_file} '{folder}\\ca.crt'")
        return [
            Step(_("On each Windows node, put it into a folder that is called like the host."), lines=copy),
            Step(_("Beside it, say whose it is."), files=(File(f"{folder}\\hosts.toml", content),)),
            _point_to_folders(system),
        ]
    install = f"sudo install -D -m 644 {place.ca_file} {_ON_LINUX}/certs.d/{place.quoted}/ca.crt"
    return [
        *_shell(system),
        Step(_("On each node, put it into a folder that is called like the host."), lines=(install,)),
        Step(
            _("Beside it, say whose it is. That file is read at each pull."),
            files=(File(f"{_ON_LINUX}/certs.d/{place.host}/hosts.toml", content),),
        ),
        _rootless(),
        _point_to_folders(system),
    ]


def allow_plain_http(place: Place, system: str) -> list[Step]:
    """containerd, docs/hosts.md."""
    content = settings_files.hosts_toml(place.host, plain_http=True)
    check = Step(_("Check it on a node."), lines=(f"sudo crictl pull {place.example('team/app:1.0')}",))
    if system == "windows":
        path = f"{_ON_WINDOWS}\\certs.d\\{place.with_underscores}\\hosts.toml"
        return [Step(_("Say so on each Windows node."), files=(File(path, content),)), _point_to_folders(system)]
    needless = [
        Step(
            _("containerd takes plain http from its own machine as it is: there, nothing has to be set."), is_aside=True
        )
    ]
    return [
        *_shell(system),
        *(needless if place.is_this_machine else []),
        Step(
            _("Say so on each node. That file is read at each pull."),
            files=(File(f"{_ON_LINUX}/certs.d/{place.host}/hosts.toml", content),),
        ),
        _rootless(),
        _point_to_folders(system),
        check,
    ]


def sign_in(place: Place, system: str) -> list[Step]:
    secret = (
        f"kubectl create secret docker-registry my-login --docker-server={place.quoted}"
        " --docker-username=USER --docker-password=PASSWORD"
    )
    steps = [
        Step(_("For nerdctl, give your name and password at the registry."), lines=(f"nerdctl login {place.quoted}",)),
        *([keep_password_safe()] if system == "linux" else []),
        Step(_("For Kubernetes, put them into a secret of the namespace."), lines=(secret,)),
        Step(
            _("Name that in each pod, or once in the service account of the pods."),
            files=(File("pod.yaml", "spec:\n  imagePullSecrets:\n    - name: my-login"),),
        ),
        Step(_("crictl keeps no login: give it --creds USER:PASSWORD with each pull."), is_aside=True),
    ]
    return steps[1:] if system == "windows" else steps


def push(place: Place, system: str) -> list[Step]:  # noqa: ARG001  the same on each
    return [Step(_("nerdctl pushes; crictl and Kubernetes only pull."), is_aside=True), *push_with("nerdctl", place)]


def _shell(system: str) -> list[Step]:
    if system == "linux":
        return []
    text = _("On a Mac containerd runs in a Linux machine of Lima, Colima or Rancher Desktop: open a shell in it.")
    return [Step(text, lines=("limactl shell default", "colima ssh", "rdctl shell"))]


def _rootless() -> Step:
    return Step(_("Rootless nerdctl has these folders in ~/.config/containerd/certs.d of your home."), is_aside=True)


def _point_to_folders(system: str) -> Step:
    """Nerdctl looks into the folders by itself; the CRI plugin only where it is told."""
    home, separator = (_ON_WINDOWS, "\\") if system == "windows" else (_ON_LINUX, "/")
    folder, path = f"{home}{separator}certs.d", f"{home}{separator}config.toml"
    files = tuple(
        File(_("%(path)s of containerd %(n)s") % {"path": path, "n": generation}, content)
        for generation in (2, 1)
        for content in [settings_files.containerd_config(folder, generation=generation)]
    )
    restart = "Restart-Service containerd" if system == "windows" else "sudo systemctl restart containerd"
    text = _(
        "Kubernetes and crictl look into these folders only where containerd is told to, once. Then start it anew."
    )
    return Step(text, files=files, lines=(restart,))
