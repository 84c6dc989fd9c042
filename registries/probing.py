"""Asking a registry what it can do, and keeping the answer. Nothing is changed at the registry."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from oci.client import RegistryClient
from oci.errors import ForeignRealm, RegistryError
from oci.source_probe import Pull, look
from oci.storage import StorageFault, StorageFolder
from registries.clients import PAGE, client_for
from registries.models import Registry
from registries.presets import preset_called


def probe(registry: Registry, image: str = "") -> None:
    """Write into `capabilities` what is found; a registry that cannot be used is a finding too, `problem` is its code.

    A token service that was not allowed yet is kept as `realm`, for a person to say yes to. `image` is what a source is
    asked for, `repository:tag` or a repository, where that is not the well-known one of its kind.
    """
    remember(registry, ask(registry, image))


def remember(registry: Registry, found: dict[str, Any]) -> None:
    """Keep what was found just now at the address of `registry`."""
    url = registry.url
    registry.capabilities, registry.probed_at = found, timezone.now()
    # The answer is about that address: a row that was moved meanwhile has none yet.
    Registry.objects.filter(pk=registry.pk, url=url).update(
        capabilities=registry.capabilities, probed_at=registry.probed_at
    )


def learn(registry: Registry, **facts: Any) -> None:
    """Keep what was met in use until the next probe: what a probe could not ask without changing something."""
    with transaction.atomic():
        row = Registry.objects.select_for_update().filter(pk=registry.pk, url=registry.url).first()
        if row is not None:
            registry.capabilities = row.capabilities | facts
            Registry.objects.filter(pk=row.pk).update(capabilities=registry.capabilities)


def ask(registry: Registry, image: str = "") -> dict[str, Any]:
    """What is found there, not kept: `registry` may be a row that is in no table yet."""
    try:
        client = client_for(registry)
    except RegistryError as error:
        return {"problem": error.code, "reason": str(error)}
    client.page_size = PAGE  # what was found before is asked anew: it may be more now
    with client:
        try:
            if registry.role == Registry.Role.SOURCE:
                return _of_source(client, image or _sample(registry))
            client.ping()
            found = client.probe()
            if found.catalog_allowed is None:
                next(client.repositories(), None)  # raises what stood in the way
        except RegistryError as error:
            realm = error.realm if isinstance(error, ForeignRealm) else ""
            return {"problem": error.code, "reason": str(error), "realm": realm, "auth": client.transport.scheme}
    facts = asdict(found)
    ping, reason = facts.pop("ping") or {}, facts.pop("problem")
    return {**facts, **ping, "problem": "", "reason": reason, "storage_problem": _storage_problem(registry)}


def _of_source(client: RegistryClient, image: str) -> dict[str, Any]:
    """What a copy would meet. Nothing else is asked of it: not even a delete of what is not there."""
    facts = asdict(look(client, image))
    ping = facts.pop("ping") or {}
    catalog_allowed = None if facts["pull"] is Pull.LATER else facts["listed"] is not None
    return {**ping, **facts, "catalog_allowed": catalog_allowed, "problem": "", "reason": facts.pop("why")}


def _sample(registry: Registry) -> str:
    preset = preset_called(registry.preset)
    return preset.sample if preset else ""


def _storage_problem(registry: Registry) -> str:
    """Why its storage folder cannot be read; nothing where it can, or none is named.

    Kept, since a page that looked itself would hang with a network share that does.
    """
    try:
        if registry.storage:
            StorageFolder(registry.storage)
    except StorageFault as fault:
        return str(fault)
    return ""
