"""What events told is counted by the next scan, which finds it done."""

from __future__ import annotations

import pytest

from catalog.models import LargeImage, NamespaceTotal, Repository
from tests.catalog.arrivals.station import Station
from tests.catalog.scanning import last_scan, scan

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def test_a_scan_that_finds_nothing_new_counts_what_was_told(station: Station) -> None:
    push = station.pusher("team/app")
    push.image("1", layers=[b"base" * 50])
    station.heard()
    scan(station.row)
    before = last_scan()
    push.image("2", layers=[b"base" * 50, b"more" * 60])
    station.arrive()
    scan(station.row)

    after = last_scan()
    assert (after.new_tags, after.moved_tags, after.gone_tags) == (0, 0, 0)
    assert after.stored > before.stored
    app = Repository.objects.get(name="team/app")
    assert NamespaceTotal.objects.get(namespace="team").stored == app.size == app.unique
    assert LargeImage.objects.filter(presence__repository=app).count() == 2
