"""The registry that somebody names at a terminal."""

from __future__ import annotations

from django.core.management.base import CommandError

from oci.errors import printable
from registries.models import Registry


def registry_called(name: str) -> Registry:
    """One of ours. Raises CommandError, which says how to see what there is."""
    registry = Registry.objects.active().filter(name=name).first()
    if registry is None:
        said = f"no registry of ours is called {printable(name, 80)}; `registry list` names them"
        raise CommandError(said, returncode=2)
    return registry
