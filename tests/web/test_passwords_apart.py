"""No list reads the passwords of the registries that it names: each row would be deciphered, and nobody sees them."""

from __future__ import annotations

import re
from typing import Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.web import harbour

_SECRET: Final = re.compile(r'"registries_registry"\."(?:password|client_key)"')
_OF_ONE_ROW: Final = "LIMIT 21"  # how Django asks for the one row that a page is about


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/r/local",
        "/r/local?state=problems",
        "/r/local/{api}",
        "/r/local/{api}/-/timeline",
        "/r/local/{api}/-/gone-tags",
        "/search?q=api",
        "/search?q=tag:1",
        "/search?q=label:team%3Dplatform",
        "/search?q=platform:linux/arm64",
        "/registries/local",
        "/registries/local/scans",
        "/registries/local/scans/{scan}",
        "/jobs",
        "/api/v1/repositories",
        "/api/v1/repositories/local/{api}/-/tags",
        "/api/v1/search?q=api",
    ],
)
@pytest.mark.django_db
def test_no_list_reads_passwords(client: Client, path: str) -> None:
    built = harbour.build()
    address = path.format(api=built.api.name, scan=built.last.pk)

    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address, HTTP_ACCEPT="*/*")
        b"".join(answer) if answer.streaming else answer.content

    assert answer.status_code == 200, address
    joined = [query["sql"] for query in queries if "JOIN" in query["sql"] and _OF_ONE_ROW not in query["sql"]]
    assert [sql for sql in joined if _SECRET.search(sql)] == []
