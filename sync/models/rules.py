"""The rules by which images are copied in."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from registries.models import NAME_PATTERN, Registry
from sync.details import Details
from sync.terms import Terms

NAME_LENGTH = 64
_name_rule = RegexValidator(rf"^{NAME_PATTERN}\Z", _("Small letters, digits and single hyphens."))


class RuleQuerySet(models.QuerySet["Rule"]):
    def by_name(self) -> Self:
        return self.order_by("name")

    def due(self, now: datetime) -> Self:
        return self.filter(is_on=True, next_at__lte=now, source__retired_at=None, target__retired_at=None)


class Rule(models.Model):
    """What of `source` stands in `target`; `terms` are the rest of what a person said of it."""

    name = models.CharField(max_length=NAME_LENGTH, unique=True, validators=[_name_rule])
    source = models.ForeignKey(Registry, models.CASCADE, related_name="rules_from_here")
    target = models.ForeignKey(Registry, models.CASCADE, related_name="rules_to_here")
    terms = models.JSONField()
    is_on = models.BooleanField(default=True)
    next_at = models.DateTimeField(null=True, blank=True)  # when it is due; None: when somebody asks
    # For one that is due by events: up to which entry the audit was looked at, and which was the highest then. An id
    # may become visible after a higher one: by the next look all below that one have.
    heard = models.BigIntegerField(default=0)
    heard_next = models.BigIntegerField(default=0)
    created_by = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = RuleQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["next_at"], condition=models.Q(is_on=True), name="rules_by_when_due")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("sync-rule", args=[self.name])

    @property
    def details(self) -> Details:
        """Raises InvalidTerms where the row is of a newer Berth, or was changed by hand."""
        return Terms.read(self.terms).of_rule(self.name, self.source.name, self.target.name, is_on=self.is_on)
