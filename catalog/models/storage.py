"""What takes the space of a registry: how it grew, its largest images, and those that stand in several repositories.

The end of each scan that found a change counts them anew, so that no page has to.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models.presences import Presence
from registries.models import Registry


class StorageDay(models.Model):
    """What the last complete scan of a day (UTC) found: scans are forgotten after some months, their days are kept."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="storage_days", db_index=False)
    day = models.DateField()
    repositories = models.PositiveIntegerField()
    tags = models.PositiveIntegerField()
    images = models.PositiveIntegerField()
    pushed = models.PositiveBigIntegerField()
    stored = models.PositiveBigIntegerField()
    shared = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registry", "day"], name="storage_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.registry_id} {self.day}"


class LargeImage(models.Model):
    """One of the largest tagged images of a registry."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="large_images", db_index=False)
    presence = models.ForeignKey(Presence, models.CASCADE, related_name="+")
    size = models.PositiveBigIntegerField()  # bytes, each blob once
    unique = models.PositiveBigIntegerField()  # of those, what would be free if it alone were deleted

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registry", "presence"], name="storage_of_a_large_image"),
        ]

    def __str__(self) -> str:
        return f"{self.registry_id}: {self.presence_id}"

    @property
    def shared(self) -> int:
        """Bytes that other images use too."""
        return max(0, self.size - self.unique)

    @property
    def saved(self) -> int:
        """Nothing: its size counts each blob once."""
        return 0


class RepeatedImage(models.Model):
    """What several repositories of a registry hold, and its storage once."""

    class By(models.TextChoices):
        """What is the same in them."""

        DIGEST = "digest", _("the same digest")
        LAYERS = "layers", _("the same layers")

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="repeated_images", db_index=False)
    by = models.CharField(max_length=8, choices=By.choices)
    first = models.ForeignKey(Presence, models.CASCADE, related_name="+")  # where it was found first, and last
    last = models.ForeignKey(Presence, models.CASCADE, related_name="+")
    repositories = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField()
    spared = models.PositiveBigIntegerField()  # bytes that all but one of them would take if nothing were shared

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registry", "first", "by"], name="storage_of_a_repeated_image"),
            models.CheckConstraint(condition=Q(repositories__gte=2), name="storage_repeated_twice"),
        ]

    def __str__(self) -> str:
        return f"{self.registry_id}: {self.first_id}"

    @property
    def named(self) -> list[Presence]:
        """One image in each of two repositories, where both are known."""
        is_elsewhere = self.first.repository_id != self.last.repository_id
        return [self.first, self.last] if is_elsewhere else [self.first]

    @property
    def more(self) -> int:
        """Repositories besides those of the images that are named."""
        return max(0, self.repositories - len(self.named))
