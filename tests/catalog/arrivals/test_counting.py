"""Pulls by the day stay few, however long an image is pulled, and none of them is forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.arrivals import counting
from catalog.models import PullDay
from tests.web import furniture as make

pytestmark = pytest.mark.django_db


def test_days_long_ago_become_one_count() -> None:
    app = make.repository(make.registry(), "team/app")
    pulled, other = make.put(app, make.image(), "1.0"), make.put(app, make.image([("x", 1)]), "2.0")
    now = timezone.now()
    for presence, days in ((pulled, (0, 89, 91, 95, 300)), (other, (92,))):
        for ago in days:
            when = now - timedelta(days=ago)
            PullDay.objects.create(presence=presence, day=when.date(), pulls=10 + ago, last_at=when)
    while counting.fold():
        pass
    kept = PullDay.objects.filter(presence=pulled).order_by("day").values_list("day", "pulls", "last_at")
    newest = now - timedelta(days=91)
    pulled.refresh_from_db()

    assert [pulls for _, pulls, _ in kept] == [91 + 95 + 300 + 30, 99, 10]
    assert kept[0][::2] == (newest.date(), newest)
    assert (pulled.pulls, pulled.pulled_at) == (625, now)
    assert PullDay.objects.get(presence=other).pulls == 102
