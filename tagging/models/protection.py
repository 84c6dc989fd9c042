"""The rules by which tags are protected, and how far Berth has looked for breaches of them."""

from __future__ import annotations

from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from registries.models import Registry
from registries.patterns import PATTERN

_pattern_rule = RegexValidator(rf"^{PATTERN}\Z", _("Letters, digits, . _ / - and the wildcards * and ?."))


class ProtectionRuleQuerySet(models.QuerySet["ProtectionRule"]):
    def of(self, registry: Registry) -> Self:
        """Those of a registry, and those of all."""
        return self.filter(Q(registry=registry) | Q(registry=None))


class ProtectionRule(models.Model):
    """Tags that fit all of its parts are neither deleted nor moved through Berth."""

    registry = models.ForeignKey(Registry, models.CASCADE, null=True, blank=True, related_name="protection_rules")
    repositories = models.CharField(max_length=255, validators=[_pattern_rule], default="*")
    tags = models.CharField(max_length=255, validators=[_pattern_rule])
    why = models.CharField(max_length=255, blank=True)
    created_by = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = ProtectionRuleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["registry", "repositories", "tags"], nulls_distinct=False, name="one_rule_of_its_patterns"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.repositories}:{self.tags}"


class BreachLook(models.Model):
    """Up to when the changes of a registry were looked at for breaches."""

    registry = models.OneToOneField(Registry, models.CASCADE, primary_key=True, related_name="+")
    looked_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.registry_id} {self.looked_until}"
