"""Rows of tagging, built directly: what only shows them is tested without a registry."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.utils import timezone

from catalog.models import Repository
from registries.models import Registry
from tagging.models import Plan, ProtectionRule, TrashEntry
from tests.web.furniture import digest_of


def plan(where: Repository, **fields: Any) -> Plan:
    """One that nobody has carried out, and that has nothing to do."""
    values = {"registry": where.registry, "repository": where, "act": Plan.Act.DELETE_TAGS}
    return Plan.objects.create(name=secrets.token_hex(16), **{**values, **fields})


def trash_entry(where: Repository, tag: str, *, age: int = 1, days_left: int = 1) -> TrashEntry:
    """What went `age` minutes ago, of an image that nobody has."""
    now = timezone.now()
    return TrashEntry.objects.create(
        registry=where.registry,
        repository=where,
        tag=tag,
        digest=digest_of(tag.encode()),
        how=TrashEntry.How.UNTAGGED,
        who="ana",
        deleted_at=now - timedelta(minutes=age),
        until=now + timedelta(days=days_left),
    )


def protection_rule(where: Registry | None, tags: str = "v*") -> ProtectionRule:
    return ProtectionRule.objects.create(registry=where, tags=tags)
