"""The steps for Docker: Docker Engine on Linux, Docker Desktop on macOS and Windows."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from web.connect import settings_files
from web.connect.place import File, Place, Step

_TRUST_ON_A_MAC: Final = "sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain"


def trust(place: Place, system: str) -> list[Step]:
    """A certificate that an authority of one's own has signed. docs.docker.com, "Verify repository client"."""
    if system == "linux":
        return [
            Step(
                _("Put it where Docker looks for it. The next pull reads it: nothing is restarted."),
                lines=(f"sudo install -D -m 644 {place.ca_file} /etc/docker/certs.d/{place.quoted}/ca.crt",),
            ),
            Step(
                _("Rootless Docker looks for it in your home."),
                lines=(f"install -D -m 644 {place.ca_file} ~/.config/docker/certs.d/{place.quoted}/ca.crt",),
                is_aside=True,
            ),
        ]
    if system == "macos":
        folder = f"~/.docker/certs.d/{place.quoted}"
        return [
            Step(
                _("Put it where Docker Desktop looks for it when it starts."),
                lines=(f"mkdir -p {folder}", f"cp {place.ca_file} {folder}/ca.crt"),
            ),
            Step(
                _("Or let all of this Mac trust it: Docker Desktop trusts what the keychain does."),
                lines=(f"{_TRUST_ON_A_MAC} {place.ca_file}",),
                is_aside=True,
            ),
            _restart_desktop(),
        ]
    folder = f"C:\\ProgramData\\docker\\certs.d\\{place.without_colon}"
    return [
        Step(
            _("Let Windows trust it, in a PowerShell of an administrator: Docker Desktop trusts what Windows does."),
            lines=(f"Import-Certificate -FilePath {place.ca_file} -CertStoreLocation Cert:\\LocalMachine\\Root",),
        ),
        _restart_desktop(),
        Step(
            _("Docker on a Windows Server looks for it in a folder instead, whose name has no colon."),
            lines=(
                f"New-Item -ItemType Directory -Force '{folder}'",
                f"Copy-Item {place.ca_file} '{folder}\\ca.crt'",
            ),
            is_aside=True,
        ),
    ]


def allow_plain_http(place: Place, system: str) -> list[Step]:
    """docs.docker.com, "dockerd", on insecure registries: 127.0.0.0/8 is one of them without being named."""
    content = settings_files.daemon_json(place.host)
    check = Step(_("Check it: the host stands under “Insecure Registries”."), lines=("docker info",))
    if system == "linux":
        needless = [
            Step(
                _("Docker takes plain http from its own machine as it is: there, nothing has to be set."), is_aside=True
            )
        ]
        return [
            *(needless if place.is_this_machine else []),
            Step(
                _("Name it among the insecure registries. Where the file is there already, add the key to it."),
                files=(File("/etc/docker/daemon.json", content),),
            ),
            Step(_("Let Docker read the file anew; containers run on."), lines=("sudo systemctl reload docker",)),
            Step(
                _("Rootless Docker has that file at ~/.config/docker/daemon.json, and is started anew like this."),
                lines=("systemctl --user restart docker",),
                is_aside=True,
            ),
            check,
        ]
    steps = [
        Step(
            _("In Docker Desktop open Settings, then Docker Engine, and add the key to what stands there."),
            files=(File(_("Settings: Docker Engine"), content),),
        ),
        Step(_("Press “Apply & restart”.")),
    ]
    if system == "windows":
        server = Step(
            _("Docker on a Windows Server has a file instead, and is started anew like this."),
            files=(File(r"C:\ProgramData\docker\config\daemon.json", content),),
            lines=("Restart-Service docker",),
            is_aside=True,
        )
        return [*steps, server, check]
    return [*steps, check]


def sign_in(place: Place, system: str) -> list[Step]:
    login = Step(_("Give your name and password at the registry."), lines=(f"docker login {place.quoted}",))
    if system != "linux":
        return [login, Step(_("Docker Desktop keeps the password in the keyring of this system."), is_aside=True)]
    return [login, keep_password_safe()]


def keep_password_safe() -> Step:
    """Of docker and nerdctl on Linux, which write it down merely encoded."""
    return Step(
        _(
            "The password then lies readable in ~/.docker/config.json. Better a credential helper keeps it: install"
            " docker-credential-secretservice, or -pass, and name it there before you sign in."
        ),
        files=(File("~/.docker/config.json", settings_files.credentials_store("secretservice")),),
        is_aside=True,
    )


def push(place: Place, system: str) -> list[Step]:  # noqa: ARG001  the same on each
    return push_with("docker", place)


def push_with(program: str, place: Place) -> list[Step]:
    """Of each program that takes the words of docker."""
    target = place.example("team/app:1.0")
    return [
        Step(
            _("Give an image of yours a name that begins with the registry."),
            lines=(f"{program} tag my-image {target}",),
        ),
        Step(_("Push it."), lines=(f"{program} push {target}",)),
    ]


def _restart_desktop() -> Step:
    return Step(_("Restart Docker Desktop, from its menu or like this."), lines=("docker desktop restart",))
