"""Encrypting the stored credentials anew, after a new key was put before the old one."""

from __future__ import annotations

from cryptography.fernet import InvalidToken
from django.db import models, transaction
from django.db.models.functions import Cast

from registries.encrypted import rotate
from registries.models import Registry


def rotate_credentials() -> tuple[int, list[str]]:
    """How many passwords the first key opens now, and the registries whose password no key opens."""
    unreadable = []
    rotated = 0
    with transaction.atomic():
        stored = Registry.objects.select_for_update().annotate(token=Cast("password", models.TextField()))
        for registry in stored.exclude(token=""):
            try:
                token = models.Value(rotate(registry.token), output_field=models.TextField())
            except InvalidToken:
                unreadable.append(registry.name)
                continue
            Registry.objects.filter(pk=registry.pk).update(password=token)
            rotated += 1
    return rotated, unreadable
