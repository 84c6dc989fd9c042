"""No list reads the passwords of the registries that it names: each row would be deciphered, and nobody sees them."""

from __future__ import annotations

import re
from typing import Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Presence
from registries.models import Registry
from tests.web import furniture as make
from tests.web import harbour

_SECRET: Final = re.compile(r'"registries_registry"\."(?:password|client_key)"')
_PATHS: Final = (
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
    "/search?q=docker+pull+registry.lab.internal:5000/{api}:1",
    "/r/local/base/ground/-/manifests/{digest}/family",
    "/registries/local",
    "/registries/local/scans",
    "/registries/local/scans/{scan}",
    "/jobs",
    "/api/v1/repositories",
    "/api/v1/repositories/local/{api}/-/tags",
    "/api/v1/search?q=api",
    "/plans/{plan}",
    "/trash",
    "/activity",
    "/protection",
    "/api/v1/plans",
    "/api/v1/plans/{plan}",
    "/api/v1/trash",
    "/api/v1/activity",
    "/api/v1/protection-rules",
    "/api/v1/sync/rules",
    "/api/v1/sync/runs",
    "/api/v1/sync/synced",
)
_OF_ONE_ROW: Final = "LIMIT 21"  # how Django asks for the one row that a page is about


def _ground_and_house(where: Registry) -> Presence:
    """An image on which another builds."""
    ground, house = make.repository(where, "base/ground"), make.repository(where, "team/house")
    make.put(house, make.image([("ground", 1), ("walls", 1)]), "1")
    return make.put(ground, make.image([("ground", 1)]), "1")


@pytest.mark.django_db
def test_no_list_reads_passwords(client: Client) -> None:
    built = harbour.build()
    ground = _ground_and_house(built.registry)
    named = {
        "api": built.api.name,
        "digest": ground.manifest.digest,
        "scan": built.last.pk,
        "plan": built.acts.images.pk,
    }
    for path in _PATHS:
        address = path.format(**named)
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address, HTTP_ACCEPT="*/*")
            b"".join(answer) if answer.streaming else answer.content

        assert answer.status_code == 200, address
        joined = [query["sql"] for query in queries if "JOIN" in query["sql"] and _OF_ONE_ROW not in query["sql"]]
        assert [sql for sql in joined if _SECRET.search(sql)] == [], address
