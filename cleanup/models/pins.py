"""What somebody outside says is in use: until when each digest stays, whatever a rule or a cleanup thinks of it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Now
from django.urls import reverse

from catalog.models.content import DIGEST_LENGTH

HOLDER = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"


class PinHolderQuerySet(models.QuerySet["PinHolder"]):
    def with_figures(self, now: datetime) -> Self:
        """With how many digests each holds, and when the first and the last of these pins end."""
        held = Q(pins__until__gt=now)
        return self.annotate(
            held=Count("pins", filter=held),
            first_until=Min("pins__until", filter=held),
            last_until=Max("pins__until", filter=held),
        )


class PinHolder(models.Model):
    """Whoever says what it runs: a cluster, a machine, a person's list."""

    name = models.CharField(max_length=63, unique=True)
    told_at = models.DateTimeField(db_default=Now())  # its last report
    told_by = models.CharField(max_length=255, blank=True)  # the person whose session brought it
    told = models.PositiveIntegerField(default=0)  # digests in it
    unread = models.PositiveIntegerField(default=0)  # what was in it and was no digest

    objects = PinHolderQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("cleanup-pins-holder", args=[self.name])


class Pin(models.Model):
    """One digest, of a manifest or of a config: images are named by either."""

    holder = models.ForeignKey(PinHolder, models.CASCADE, related_name="pins", db_index=False)
    digest = models.CharField(max_length=DIGEST_LENGTH)
    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["holder", "digest"], name="pins_one_of_a_digest"),
        ]
        indexes = [
            models.Index(fields=["digest", "until"], name="pins_by_digest"),
            models.Index(fields=["until"], name="pins_by_end"),
            models.Index(fields=["holder", "until"], name="pins_of_a_holder"),
        ]

    def __str__(self) -> str:
        return f"{self.holder_id} {self.digest}"
