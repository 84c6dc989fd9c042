"""Encrypting all stored secrets anew, after a new key was put before the old one."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.db import models, transaction
from django.db.models.functions import Cast

from registries.encrypted import EncryptedTextField, rotate


def rotate_credentials() -> tuple[int, list[str]]:
    """How many secrets the first key opens now, and the names of what has one that no key opens."""
    rotated, unreadable = 0, []
    with transaction.atomic():
        for model, field in _secrets():
            stored = model.objects.select_for_update(of=("self",)).annotate(token=Cast(field, models.TextField()))
            named = getattr(model, "NAMED_BY", "name")
            for pk, name, token in stored.exclude(token="").values_list("pk", named, "token"):
                try:
                    rotated_token = rotate(token)
                except InvalidToken:
                    unreadable.append(name)
                    continue
                # As a text that is encrypted already.
                raw = models.Value(rotated_token, output_field=models.TextField())
                model.objects.filter(pk=pk).update(**{field: raw})
                rotated += 1
    return rotated, list(dict.fromkeys(unreadable))


def _secrets() -> list[tuple[Any, str]]:
    """Each encrypted column of any floor, whose rows all have a name, or say by `NAMED_BY` whose they bear."""
    columns = ((model, field) for model in apps.get_models() for field in model._meta.get_fields())  # noqa: SLF001  Django's
    return [(model, field.name) for model, field in columns if isinstance(field, EncryptedTextField)]
