"""How PostgreSQL plans for us."""

from __future__ import annotations

import pytest
from django.db import connection

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite plans by itself"),
]


def test_every_connection_says_that_any_row_is_near() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('random_page_cost'), current_setting('max_parallel_workers_per_gather')")
        assert cursor.fetchone() == ("1.1", "0")
