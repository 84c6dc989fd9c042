"""What takes the space of the believable registry: how it grew, its largest images, and those that repeat."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Final

from django.db.models import F
from django.utils import timezone

from catalog.models import LargeImage, Presence, RepeatedImage, Repository, StorageDay
from registries.models import Registry

_GIGABYTE: Final = 10**9
_DAYS: Final = 120
_LARGE: Final = 34


def build(where: Registry) -> None:
    """As the end of a scan would have left it."""
    live = Repository.objects.live().filter(registry=where)
    counted = live.exclude(name="release/api")  # which came after that scan
    counted.update(unique=F("size") * 7 / 10, pushed=F("size") * 3, first_seen=timezone.now() - timedelta(days=_DAYS))
    images = Presence.objects.tagged().filter(repository__registry=where).order_by("-size")[:_LARGE]
    LargeImage.objects.bulk_create(
        [
            LargeImage(registry=where, presence=image, size=image.size, unique=image.size * (number % 5) // 5)
            for number, image in enumerate(images)
        ]
    )
    _repeated(where)
    _days(where)


def _repeated(where: Registry) -> None:
    """One digest in two repositories, and the same layers in several."""
    here = Presence.objects.tagged().filter(repository__registry=where)
    released = here.get(repository__name="release/api")
    tagged = here.get(repository__name="platform/api", manifest=released.manifest)
    one, other = (here.filter(repository__name=name)[0] for name in ("web/storefront", "web/admin"))
    by, rows = RepeatedImage.By, [(tagged, released, 2), (one, other, 5)]
    RepeatedImage.objects.bulk_create(
        [
            RepeatedImage(
                registry=where, by=kind, first=first, last=last, repositories=times, size=first.size,
                spared=first.size * (times - 1),
            )
            for kind, (first, last, times) in zip((by.DIGEST, by.LAYERS), rows, strict=True)
        ]
    )  # fmt: skip


def _days(where: Registry) -> None:
    """It grew, and once somebody cleaned up."""
    today = timezone.now().astimezone(UTC).date()
    StorageDay.objects.bulk_create(
        [
            StorageDay(
                registry=where,
                day=today - timedelta(days=ago),
                repositories=19,
                tags=1316,
                images=870,
                pushed=(1482 - 6 * ago) * _GIGABYTE,
                stored=(412 - 2 * ago + (70 if ago > _DAYS // 3 else 0) + ago % 7) * _GIGABYTE,
                shared=96 * _GIGABYTE,
            )
            for ago in range(_DAYS, -1, -1)
        ]
    )
