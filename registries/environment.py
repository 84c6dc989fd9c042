"""The registry that the BERTH_REGISTRY_* options name: its row follows them at each start."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from registries import event_secrets, notifications, services
from registries.addresses import WrongAddress, free_name, name_before, name_from, normal_address
from registries.models import Registry
from registries.services import Details

_VARIABLES: Final = {
    "url": "BERTH_REGISTRY_URL",
    "public_name": "BERTH_REGISTRY_PUBLIC",
    "username": "BERTH_REGISTRY_USER",
    "password": "BERTH_REGISTRY_PASSWORD",
    "ca": "BERTH_REGISTRY_CA",
    "client_certificate": "BERTH_REGISTRY_CLIENT_CERT",
    "client_key": "BERTH_REGISTRY_CLIENT_KEY",
    "storage": "BERTH_REGISTRY_STORAGE",
    "plain_http": "BERTH_REGISTRY_PLAIN_HTTP",
}
# Of our own registry: where we listen is where we ask, and its images are in our data folder.
_OWN: Final = dict.fromkeys(("url", "plain_http"), "--bind or --registry-port") | {"storage": "--data"}


def owners(registry: Registry) -> dict[str, str]:
    """Field → the variable or option that says what it is. What none says is a person's to change."""
    if not registry.from_environment:
        return {}
    said = {
        "url": True,
        "plain_http": True,
        "public_name": bool(settings.REGISTRY_PUBLIC),
        "username": bool(settings.REGISTRY_USER),
        "password": bool(settings.REGISTRY_USER),
        "ca": bool(settings.REGISTRY_CA),
        "client_certificate": bool(settings.REGISTRY_CLIENT_CERT),
        "client_key": bool(settings.REGISTRY_CLIENT_CERT),
        "storage": bool(settings.REGISTRY_STORAGE),
    }
    names = _VARIABLES | (_OWN if registry.embedded else {})
    return {field: names[field] for field, owned in said.items() if owned}


def events_secret_owner(registry: Registry) -> str:
    """Who says what the registry shows when it tells something; nothing where Berth issues that."""
    if not registry.from_environment or not settings.REGISTRY_EVENTS_SECRET:
        return ""
    return "./run" if registry.embedded else "BERTH_REGISTRY_EVENTS_SECRET"


def planned(leaving: Collection[str] = ()) -> Registry | None:
    """The row that `from_environment` would make of the options; nothing is written. Raises as that."""
    with transaction.atomic():
        registry = from_environment(leaving)
        transaction.set_rollback(True)
    return registry


def from_environment(leaving: Collection[str] = ()) -> Registry | None:
    """The active row that the options name, brought in step with them; None where they name none.

    `leaving`: the job subjects of those that are being removed, which do not come back.
    Raises ImproperlyConfigured, with the variable and the cure.
    """
    with transaction.atomic():
        registry = None
        if settings.REGISTRY_URL:
            url = _address()
            try:
                registry = _embedded(url) if settings.REGISTRY_EMBEDDED else _elsewhere(url, leaving)
            except services.RegistryNotSaved as error:
                variable = _VARIABLES.get(error.field, "BERTH_REGISTRY_URL")
                raise ImproperlyConfigured(f"{variable}: {error}") from error
        _release_others(registry)
        if registry is not None and settings.REGISTRY_EVENTS_SECRET:
            name = notifications.OWN if registry.embedded else registry.name
            event_secrets.keep(registry, settings.REGISTRY_EVENTS_SECRET, name=name)
        return registry


def _address() -> str:
    try:
        return normal_address(settings.REGISTRY_URL, plain_http=_plain_http())
    except WrongAddress as error:
        cure = " BERTH_REGISTRY_PLAIN_HTTP=true allows it." if error.is_plain_http else ""
        raise ImproperlyConfigured(f"BERTH_REGISTRY_URL cannot be used: {error}{cure}") from error


def _embedded(url: str) -> Registry:
    """Our own storage, at whatever port it is served now: one row, also when it had retired meanwhile."""
    ours = Registry.objects.filter(embedded=True).first()
    if ours is None:
        return services.add(_details(url), from_environment=True, embedded=True)
    ours.retired_at, ours.from_environment = None, True
    ours.save(update_fields=["retired_at", "from_environment"])
    return services.edit(ours, _details(url, ours)).registry


def _elsewhere(url: str, leaving: Collection[str]) -> Registry:
    elsewhere = Registry.objects.connected().filter(embedded=False)
    current = elsewhere.filter(url=url).first() or elsewhere.filter(from_environment=True).first()
    returning = services.retired_from(url, leaving)
    if current is None:
        return services.add(_details(url, returning), from_environment=True, leaving=leaving)
    current.from_environment = True
    current.save(update_fields=["from_environment"])
    if current.url == url:
        return services.edit(current, _details(url, current)).registry
    details = _details(url, returning, name=_name_after(current, url, returning))
    return services.edit(current, details, leaving=leaving).registry


def _name_after(current: Registry, url: str, returning: Registry | None) -> str:
    """A name that came from the old host follows to the new one; one that a person chose stays."""
    if current.name != name_from(current.url):
        return current.name
    return name_before(returning.name) if returning else free_name(name_from(url))


def _details(url: str, known: Registry | None = None, *, name: str = "") -> Details:
    """What the options say; what they leave open stays as it is at `known`, which is at the same address."""
    keeps = known is not None
    return Details(
        url=url,
        name=name,
        public_name=settings.REGISTRY_PUBLIC or (known.public_name if known else ""),
        username=settings.REGISTRY_USER or (known.username if known else ""),
        password=settings.REGISTRY_PASSWORD if settings.REGISTRY_USER or not keeps else None,
        ca=_pem("BERTH_REGISTRY_CA", settings.REGISTRY_CA) or (known.ca if known else ""),
        **_identity(known),
        storage=settings.REGISTRY_STORAGE or (None if keeps else ""),
        plain_http=_plain_http(),
        role=Registry.Role.CATALOG,  # also of a source, that somebody had added
    )


def _identity(known: Registry | None) -> dict[str, Any]:
    """The client certificate and its key, as `_details` has them."""
    if settings.REGISTRY_CLIENT_CERT:
        return {
            "client_certificate": _pem("BERTH_REGISTRY_CLIENT_CERT", settings.REGISTRY_CLIENT_CERT),
            "client_key": _pem("BERTH_REGISTRY_CLIENT_KEY", settings.REGISTRY_CLIENT_KEY),
        }
    if settings.REGISTRY_CLIENT_KEY:
        raise ImproperlyConfigured("BERTH_REGISTRY_CLIENT_CERT is not set: it is what BERTH_REGISTRY_CLIENT_KEY is for")
    return {"client_certificate": known.client_certificate if known else "", "client_key": None if known else ""}


def _plain_http() -> bool:
    return bool(settings.REGISTRY_PLAIN_HTTP or settings.REGISTRY_EMBEDDED)


def _release_others(registry: Registry | None) -> None:
    """What the options named before: our own storage is not served now, another becomes an ordinary row."""
    others = Registry.objects.active()
    if registry is not None:
        others = others.exclude(pk=registry.pk)
    for ours in others.filter(embedded=True):
        services.retire(ours, give_up_name=False)
    others.filter(from_environment=True).update(from_environment=False)


def _pem(variable: str, text: str) -> str:
    """The certificates or the key themselves, also where `text` is the path of their file."""
    if not text or "-----BEGIN" in text:
        return text
    with suppress(OSError, ValueError):
        # Bundles say beside each certificate whose it is, in the letters of any language.
        return Path(text).read_text(encoding="utf-8", errors="replace")
    # A key that lost its first line looks like a path; nor does the error of the file, which quotes it, come along.
    said = "" if variable.endswith("KEY") else f"={text!r}"
    raise ImproperlyConfigured(f"{variable}{said} cannot be read: give the path of a PEM file, or its content")
