"""The harbour, which takes seconds to build: built once, and laid out for each test that walks through it."""

from __future__ import annotations

import sqlite3
from copy import deepcopy

from django.contrib.contenttypes.models import ContentType
from django.db import connection

from tests.web import furniture as make
from tests.web import harbour
from tests.web.harbour import Harbour


class Drawing:
    """Of the whole database, with Mara in it; on SQLite alone, where windows are opened."""

    def __init__(self) -> None:
        self._rows: sqlite3.Connection | None = None
        self._built: Harbour | None = None

    def lay(self) -> Harbour:
        """Into the database of this test, in the place of all that it holds."""
        connection.ensure_connection()
        if self._rows is None or self._built is None:
            self._built = harbour.build()
            make.person("mara", staff=True, first_name="Mara", last_name="Voss")
            self._rows = sqlite3.connect(":memory:", check_same_thread=False)
            connection.connection.backup(self._rows)
        else:
            self._rows.backup(connection.connection)
            ContentType.objects.clear_cache()
        return deepcopy(self._built)
