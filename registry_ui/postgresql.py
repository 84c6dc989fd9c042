"""What each connection tells PostgreSQL, so that it finds the rows of a page by the index that has them."""

from __future__ import annotations

from typing import Any, Final

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# Its defaults are of disks that turn: there it would sooner read a tenth of a table, with several processes at once,
# than some thousands of rows in the order of an index. Not at the start of the connection: poolers refuse that.
_PLANNING: Final = "SET random_page_cost = 1.1; SET max_parallel_workers_per_gather = 0"


class PostgreSQL(AppConfig):
    name = "registry_ui"

    def ready(self) -> None:
        connection_created.connect(_tell)


def _tell(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if connection.vendor == "postgresql":
        connection.connection.execute(_PLANNING)  # the driver's own: it is no query of whatever page comes first
