"""Rows that many tests of a module look at, laid once, in a transaction that is never committed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.db import connections, transaction


@contextmanager
def rolled_back() -> Iterator[None]:
    """What is written to any database within is gone after it. No test in between may want transactions of its own."""
    with ExitStack() as stack:
        for alias in connections:
            stack.enter_context(transaction.atomic(using=alias))
            stack.callback(transaction.set_rollback, rollback=True, using=alias)
        yield
