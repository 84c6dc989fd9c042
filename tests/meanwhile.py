"""What somebody else does in the middle of what a test does: tied to a row that is written just then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import Model
from django.db.models.signals import ModelSignal


@contextmanager
def receiving(signal: ModelSignal, model: type[Model], receiver: Callable[..., Any]) -> Iterator[None]:
    """Call `receiver(instance=…)` at each such write, until the end of the block."""
    signal.connect(receiver, sender=model, weak=False)
    try:
        yield
    finally:
        signal.disconnect(receiver, sender=model)
