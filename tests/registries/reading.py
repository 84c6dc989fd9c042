"""As if a scan had read something of a registry."""

from __future__ import annotations

from catalog.models import Repository
from registries.models import Registry


def read(registry: Registry, name: str = "team/app") -> Registry:
    Repository.objects.create(registry=registry, name=name, name_key=name.encode(), state="whole")
    return registry
