"""A registry whose sweeps are stopped until a person has looked."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from registries.models import Registry


class Halt(models.Model):
    registry = models.ForeignKey(Registry, models.CASCADE, related_name="halts")
    why = models.TextField()
    at = models.DateTimeField(db_default=Now())
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["registry"], condition=models.Q(lifted_at=None), name="halts_one_open_of_a_registry"
            ),
        ]

    def __str__(self) -> str:
        return self.why
