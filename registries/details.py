"""What a person may say of a registry, checked before anything is written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.x509 import load_pem_x509_certificates
from django.utils.translation import gettext as _

from oci.auth import Credentials
from oci.endpoint import Endpoint
from oci.errors import InvalidName
from oci.proxy import Proxy
from oci.tls import InvalidCertificate, contexts
from registries.addresses import WrongAddress, normal_address
from registries.limits import Limits
from registries.models import NAME_LENGTH, NAME_PATTERN, STORAGE_LENGTH, URL_LENGTH, USERNAME_LENGTH, Registry
from registries.presets import preset_called

_PEM: Final = "-----BEGIN "
_PUBLIC_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?(?:/[a-z0-9._-]+)*")


class RegistryNotSaved(Exception):  # noqa: N818  it says what did not happen
    """A registry cannot be kept like that; the sentence says why, `field` which detail is meant."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Details:
    """What a person may say of a registry; nothing else is ever written from a form.

    `password`, `client_key` and `proxy`: None keeps the stored one, the empty string removes it. `storage` is a folder
    of this machine: whoever names it has a shell here, so no form does, and None keeps what is stored. So it does of
    `role`, `preset` and `limits`; without them a new one is ours, no well-known service, and asked without limits.
    """

    url: str
    name: str = ""
    public_name: str = ""
    username: str = field(default="", repr=False)
    password: str | None = field(default=None, repr=False)
    ca: str = field(default="", repr=False)
    client_certificate: str = field(default="", repr=False)
    client_key: str | None = field(default=None, repr=False)
    plain_http: bool = False
    storage: str | None = None
    role: str | None = None
    preset: str | None = None
    proxy: str | None = field(default=None, repr=False)
    limits: Limits | None = None


def checked_address(details: Details) -> str:
    """The address in its normal form, after a look at the rest of what was said."""
    if details.name and not re.fullmatch(NAME_PATTERN, details.name):
        raise RegistryNotSaved("name", _("A name is made of small letters, digits and single hyphens."))
    if len(details.name) > NAME_LENGTH:
        raise RegistryNotSaved("name", _("A name has at most 40 letters."))
    if details.public_name and not _PUBLIC_NAME.fullmatch(details.public_name):
        raise RegistryNotSaved("public_name", _("That is no name that a pull command could begin with."))
    for name, pem in (("ca", details.ca), ("client_certificate", details.client_certificate)):
        if "PRIVATE KEY" in pem:  # which would be stored and shown as it is
            raise RegistryNotSaved(name, _("A key is in that too: give it apart, where it is kept secret."))
        if pem:
            _check_certificates(name, pem)
    if details.storage:
        _check_folder(details.storage)
    _check_user(details.username)
    _check_asking(details)
    try:
        url = normal_address(details.url, plain_http=details.plain_http)
    except WrongAddress as error:
        raise RegistryNotSaved("url", str(error)) from error
    if len(url) > URL_LENGTH:
        raise RegistryNotSaved("url", _("An address has at most 500 characters."))
    return url


def _check_user(name: str) -> None:
    """Here, and not when it is first shown to a registry: then it would be a fault of what is stored."""
    try:
        Credentials(name, "")
        is_one = len(name) <= USERNAME_LENGTH
    except InvalidName:
        is_one = False
    if not is_one:
        raise RegistryNotSaved("username", _("A user name has at most 255 printable characters, and no colon."))


def _check_asking(details: Details) -> None:
    """What it is for, and how it is asked."""
    if details.role is not None and details.role not in Registry.Role.values:
        raise RegistryNotSaved("role", _("A registry is one of ours or a source."))
    if details.preset and preset_called(details.preset) is None:
        raise RegistryNotSaved("preset", _("Berth knows no such registry service."))
    if details.limits and (wrong := details.limits.wrong()):
        raise RegistryNotSaved(*wrong)
    if not details.proxy:
        return
    try:
        Proxy.parse(details.proxy)
    except InvalidName:  # which may not come along, as it repeats a part of what holds a password
        wrong = "proxy", _("A proxy is http://host:port, or http://user:password@host:port.")
    else:
        return
    raise RegistryNotSaved(*wrong)


def _check_certificates(field: str, pem: str) -> None:
    none = RegistryNotSaved(field, _("No certificate in PEM form is in that."))
    if "\0" in pem:  # which not every database takes
        raise none
    try:
        load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise none from error


def _check_folder(path: str) -> None:
    """Whether it is there is not asked: it may be mounted later, and a scan says what it found."""
    if not Path(path).is_absolute():
        raise RegistryNotSaved("storage", _("Give the whole path of the storage folder."))
    if len(path) > STORAGE_LENGTH or not path.isprintable():
        raise RegistryNotSaved("storage", _("Give the storage folder a path of at most 1,000 printable characters."))


def check_pair(url: str, certificate: str, key: str) -> None:
    """Whether a registry at `url` could know us by that. Raises RegistryNotSaved, without a word of the key."""
    if key and not certificate:
        raise RegistryNotSaved("client_certificate", _("The certificate that the key belongs to is missing."))
    if not certificate:
        return
    if url.startswith("http:"):
        raise RegistryNotSaved("client_certificate", _("A client certificate can only be shown over https."))
    if key and _PEM not in key:  # or it would be taken for the path of a file of this machine
        raise RegistryNotSaved("client_key", _("No key in PEM form is in that."))
    try:
        contexts(Endpoint(url, client_certificate=certificate, client_key=key or None))
    except InvalidCertificate as error:
        sentence = str(error)
        raise RegistryNotSaved("client_key", f"{sentence[:1].upper()}{sentence[1:]}.") from error
