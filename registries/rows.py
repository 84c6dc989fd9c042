"""The writing of the row of a registry, as its details say; what may be written, the services have checked."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from registries.details import Details, RegistryNotSaved
from registries.limits import Limits
from registries.models import RESERVED_NAMES, Registry
from registries.presets import preset_called

NO_CREDENTIALS: Final = {
    "username": "",
    "password": "",
    "realm": "",
    "client_certificate": "",
    "client_key": "",
    "proxy": "",  # which may hold a password too
}
_REACHED_BY: Final = (
    *("url", "username", "password", "ca", "client_certificate", "client_key", "storage"),
    *("role", "preset", "proxy"),
)
_UNPROBED: Final[dict[str, object]] = {"capabilities": {}, "probed_at": None}


def create(details: Details, name: str, url: str, *, from_environment: bool, embedded: bool) -> Registry:
    _refuse_a_reserved(name)
    registry = Registry(
        name=name,
        url=url,
        public_name=details.public_name,
        ca=details.ca,
        plain_http=details.plain_http,
        storage=details.storage or "",
        from_environment=from_environment,
        embedded=embedded,
        role=details.role or Registry.Role.CATALOG,
        **_kept_from(details),
        **_given(details, url),
    )
    try:
        with transaction.atomic():
            registry.save(force_insert=True)
    except IntegrityError as error:
        raise RegistryNotSaved("name", _("Another registry has that name or address.")) from error
    return registry


def begin_anew(registry: Registry, details: Details, name: str, url: str, *, from_environment: bool) -> Registry:
    """One that had retired or is at another address now, as the details say; what refers to it stays.

    It has no credentials but those that were given now.
    """
    rename(registry, name)
    write(
        registry,
        url=url,
        role=details.role or registry.role,
        retired_at=None,
        from_environment=from_environment,
        public_name=details.public_name,
        ca=details.ca,
        plain_http=details.plain_http,
        storage=registry.storage if details.storage is None else details.storage,
        **_kept_from(details),
        **_UNPROBED,
        **(NO_CREDENTIALS | _given(details, url)),
    )
    return registry


def rename(registry: Registry, name: str) -> None:
    if name == registry.name:
        return
    _refuse_a_reserved(name)
    if Registry.objects.filter(name=name).exists():
        raise RegistryNotSaved("name", _("Another registry is called %(name)s.") % {"name": name})
    write(registry, name=name)


def update(registry: Registry, details: Details, url: str) -> None:
    """Write what was said; the password only when it was given, so that no save loses an unreadable one."""
    changes: dict[str, object] = {
        "url": url,
        "public_name": details.public_name,
        "username": details.username,
        "ca": details.ca,
        "plain_http": details.plain_http,
        **_identity(registry, details),
    }
    for name in ("storage", "role", "preset", "proxy"):
        if (said := getattr(details, name)) is not None and said != getattr(registry, name):
            changes[name] = said
    if details.limits is not None:
        changes |= asdict(details.limits)
    if not details.username:
        changes["password"] = ""
        if registry.username:  # whoever takes the credentials back takes back where they may go
            changes["realm"] = ""
    elif details.password is not None and details.password != registry.password:
        changes["password"] = details.password
    if any(name in changes and changes[name] != getattr(registry, name) for name in _REACHED_BY):
        changes |= _UNPROBED
    write(registry, **changes)


def write(registry: Registry, **changes: object) -> None:
    for name, value in changes.items():
        setattr(registry, name, value)
    registry.save(update_fields=list(changes))


def _kept_from(details: Details) -> dict[str, object]:
    """What the details say of how it is asked; nothing said is nothing, since what was said of before is over."""
    return {"preset": details.preset or "", **asdict(details.limits or Limits())}


def _given(details: Details, url: str) -> dict[str, str]:
    """The credentials of the details. A user name alone was not given for this address: a form shows the old again.

    Nor was a certificate without its key, for the same reason. The token service of a well-known one is well known.
    """
    given = {"proxy": details.proxy or ""}
    preset = preset_called(details.preset or "")
    if preset is not None and preset.url == url:
        given["realm"] = preset.realm
    if details.username and details.password:
        given |= {"username": details.username, "password": details.password}
    if details.client_certificate and details.client_key:
        given |= {"client_certificate": details.client_certificate, "client_key": details.client_key}
    return given


def _identity(registry: Registry, details: Details) -> dict[str, object]:
    """The client certificate and its key, where that was given; without the certificate the key goes too."""
    if not details.client_certificate:
        return {"client_certificate": "", "client_key": ""}
    changes: dict[str, object] = {"client_certificate": details.client_certificate}
    if details.client_key is not None and details.client_key != registry.client_key:
        changes["client_key"] = details.client_key
    return changes


def _refuse_a_reserved(name: str) -> None:
    if name in RESERVED_NAMES:
        raise RegistryNotSaved("name", _("That is the address of another page: give it another name."))
