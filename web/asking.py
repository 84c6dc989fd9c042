"""Asking a registry while a person waits: few at once, not for long, and what went wrong is a sentence."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from django.utils.translation import gettext

from jobs.processor import given_up
from oci.client import RegistryClient
from oci.errors import RegistryError
from registries.clients import hasty_client_for
from registries.models import Registry

_ASKERS: Final = threading.BoundedSemaphore(5)  # in this process: the others of its threads serve pages
_PATIENCE: Final = 2.0  # seconds until a person may ask

FoundT = TypeVar("FoundT")


def ask(registry: Registry, question: Callable[[RegistryClient], FoundT], seconds: float) -> tuple[FoundT | None, str]:
    """What `question` finds; or None, and why. Each of its requests has `seconds`."""
    if registry.retired_at is not None:
        return None, gettext("The registry was removed from Berth, which no longer asks it.")
    with given_up():
        if not _ASKERS.acquire(timeout=_PATIENCE):
            return None, gettext("Others are asking the registry just now. Try again in a moment.")
        try:
            with hasty_client_for(registry, seconds) as client:
                return question(client), ""
        except RegistryError as error:
            return None, str(error)
        finally:
            _ASKERS.release()
