"""While a garbage collection needs a registry read-only, each page says so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from jobs import closure
from tests.web import furniture as make

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("page", ["/", "/jobs", "/trash", "/activity", "/registries", "/no-such-page"])
def test_each_page_says_it(page: str, client: Client) -> None:
    client.force_login(make.person())
    main, _ = make.registry("main"), make.registry("other", url="http://other")
    closure.close(main, datetime(2026, 11, 28, 14, 2, tzinfo=UTC), "<b>admin")

    shown = client.get(page).content.decode()

    assert "main is read-only until its garbage collection is over, begun " in shown
    assert "by &lt;b&gt;admin." in shown
    assert "other is read-only" not in shown

    closure.open_again(main)
    assert "is read-only until" not in client.get(page).content.decode()


def test_nobody_who_may_not_read_is_told(client: Client) -> None:
    closure.close(make.registry("main"), datetime(2026, 11, 28, 14, 2, tzinfo=UTC), "admin")

    assert "is read-only" not in client.get("/sign-in").content.decode()
