"""The policies that say which tags of a registry may go."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from cleanup.retention.terms import Terms
from registries.models import NAME_PATTERN, Registry

NAME_LENGTH = 64
_name_rule = RegexValidator(rf"^{NAME_PATTERN}\Z", _("Small letters, digits and single hyphens."))


class PolicyQuerySet(models.QuerySet["Policy"]):
    def in_order(self) -> Self:
        return self.order_by("position", "pk")

    def due(self, now: datetime) -> Self:
        return self.filter(is_on=True, next_at__lte=now, registry__retired_at=None)


class Policy(models.Model):
    """Of those that are on, the first whose patterns fit a repository decides there, and the others never see it."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="policies")
    name = models.CharField(max_length=NAME_LENGTH, unique=True, validators=[_name_rule])
    position = models.PositiveIntegerField()  # in the order of the registry's; two that are equal stand by their keys
    terms = models.JSONField()
    is_on = models.BooleanField(default=True)
    next_at = models.DateTimeField(null=True, blank=True)  # when it is due; None: when somebody asks
    created_by = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = PolicyQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(is_on=True), name="retention_policies_by_due"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("cleanup-policy", args=[self.name])

    def read(self) -> Terms:
        """Raises InvalidTerms where the row is of a newer Berth, or was changed by hand."""
        return Terms.read(self.terms)
