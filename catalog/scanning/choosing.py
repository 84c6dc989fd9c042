"""Which way a registry is read: from its storage folder where there is one that is surely its own, else by its API."""

from __future__ import annotations

from catalog.scanning.api import ApiSource
from catalog.scanning.source import Source
from oci.client import RegistryClient
from registries.models import Registry


def choose(registry: Registry, client: RegistryClient) -> tuple[Source, str]:
    """The source, and what proved the folder or why it is not read; "" where the registry has none that we know of."""
    return ApiSource(client), ""
