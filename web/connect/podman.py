"""The steps for Podman, skopeo and Buildah, which read the same files."""

from __future__ import annotations

from django.utils.translation import gettext as _

from web.commands.lines import in_shell
from web.connect import settings_files
from web.connect.docker import push_with
from web.connect.place import File, Place, Step


def trust(place: Place, system: str) -> list[Step]:
    """containers-certs.d(5)."""
    if system == "linux":
        return [
            Step(
                _("Put it where all of them look for it. The next pull reads it: nothing is restarted."),
                lines=(f"sudo install -D -m 644 {place.ca_file} /etc/containers/certs.d/{place.quoted}/ca.crt",),
            ),
            Step(
                _("Without root, put it into your home instead."),
                lines=(f"install -D -m 644 {place.ca_file} ~/.config/containers/certs.d/{place.quoted}/ca.crt",),
                is_aside=True,
            ),
        ]
    install = in_shell(f"sudo install -D -m 644 /dev/stdin /etc/containers/certs.d/{place.quoted}/ca.crt")
    line = f"podman machine ssh {install} < {place.ca_file}"
    if system == "windows":
        line = f"Get-Content {place.ca_file} | podman machine ssh {install}"
    return [Step(_("Podman runs in a Linux machine here. Put it into that; the next pull reads it."), lines=(line,))]


def allow_plain_http(place: Place, system: str) -> list[Step]:
    """containers-registries.conf.d(5)."""
    content, name = settings_files.registries_conf(place.host), f"{place.name}.conf"
    check = Step(_("Check it: the host is listed with “insecure”."), lines=("podman info",))
    drop_in = File(f"/etc/containers/registries.conf.d/{name}", content)
    if system != "linux":
        return [
            Step(_("Podman runs in a Linux machine here: open a shell in it."), lines=("podman machine ssh",)),
            Step(_("Write this file in it, as root."), files=(drop_in,)),
            Step(
                _("Leave the shell, and start the machine anew."), lines=("podman machine stop", "podman machine start")
            ),
            check,
        ]
    return [
        Step(_("Write this file. The next pull reads it: nothing is restarted."), files=(drop_in,)),
        Step(
            _(
                "Without root, write it to ~/.config/containers/registries.conf.d of your home. Where you have a"
                " registries.conf of your own, it is that folder alone that counts."
            ),
            is_aside=True,
        ),
        check,
    ]


def sign_in(place: Place, system: str) -> list[Step]:
    text = _(
        "It is kept until you log out of the machine. To keep it longer, sign in with"
        " --authfile ~/.config/containers/auth.json."
    )
    return [
        Step(
            _("Give your name and password at the registry: skopeo and Buildah use that too."),
            lines=(f"podman login {place.quoted}",),
        ),
        *([Step(text, is_aside=True)] if system == "linux" else []),
    ]


def push(place: Place, system: str) -> list[Step]:  # noqa: ARG001  the same on each
    return push_with("podman", place)
