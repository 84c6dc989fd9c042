"""Encrypting the stored credentials anew, after a new key was put before the old one."""

from __future__ import annotations

from typing import Final

from cryptography.fernet import InvalidToken
from django.db import models, transaction
from django.db.models.functions import Cast

from registries.encrypted import rotate
from registries.models import Registry

_SECRETS: Final = ("password", "client_key")


def rotate_credentials() -> tuple[int, list[str]]:
    """How many secrets the first key opens now, and the registries of which no key opens one."""
    rotated, unreadable = 0, []
    with transaction.atomic():
        for field in _SECRETS:
            stored = Registry.objects.select_for_update().annotate(token=Cast(field, models.TextField()))
            for pk, name, token in stored.exclude(token="").values_list("pk", "name", "token"):
                try:
                    rotated_token = rotate(token)
                except InvalidToken:
                    unreadable.append(name)
                    continue
                # As a text that is encrypted already.
                raw = models.Value(rotated_token, output_field=models.TextField())
                Registry.objects.filter(pk=pk).update(**{field: raw})
                rotated += 1
    return rotated, list(dict.fromkeys(unreadable))
