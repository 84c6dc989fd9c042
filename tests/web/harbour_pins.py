"""Pins for the walk: a cluster that says what it runs, and a machine that has not for a while."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from catalog.models import Presence, Repository
from cleanup.models import Pin, PinHolder
from tests.web import furniture as make


def build(api: Repository) -> None:
    now = timezone.now()
    day = timedelta(days=1)
    cluster = PinHolder.objects.create(name="cluster-a", told_by="mara", told=532, unread=3)
    known = Presence.objects.filter(repository=api).order_by("pk")[:12]
    digests = [presence.manifest.digest for presence in known.select_related("manifest")]
    digests += [presence.manifest.config.digest for presence in _with_config(api)[:4] if presence.manifest.config]
    digests += [make.digest_of(f"elsewhere {number}".encode()) for number in range(30)]
    pins = [Pin(holder=cluster, digest=digest, until=now + 3 * day) for digest in dict.fromkeys(digests)]
    Pin.objects.bulk_create(pins)
    cluster.pins.filter(pk__in=[pin.pk for pin in cluster.pins.order_by("pk")[:5]]).update(until=now + day / 2)
    machine = PinHolder.objects.create(name="machine-7", told=8)
    PinHolder.objects.filter(pk=machine.pk).update(told_at=now - 4 * day)


def _with_config(api: Repository) -> list[Presence]:
    rows = Presence.objects.filter(repository=api, manifest__config__isnull=False)
    return list(rows.select_related("manifest__config").order_by("pk"))
