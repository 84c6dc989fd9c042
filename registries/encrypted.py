"""A text column that is encrypted at rest, with keys that are not in the database."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

_BEGINNING = "gAAAAA"  # how every Fernet token begins: its version, and a year before 2106


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured(
            "BERTH_CREDENTIALS_KEY cannot be used: each key is 32 bytes in URL-safe base64"
        ) from error


def _keys() -> MultiFernet:
    return _fernet(tuple(settings.CREDENTIALS_KEYS))


if TYPE_CHECKING:
    _Text = models.TextField[str, str]
else:
    _Text = models.TextField


class EncryptedTextField(_Text):
    """Authenticated encryption (Fernet): the first key encrypts, every key decrypts.

    A value that no key opens reads as `unreadable`, by itself the empty string, so that a lost key costs the stored
    passwords and nothing else.
    """

    def __init__(self, *args: Any, unreadable: str = "", **kwargs: Any) -> None:
        self._unreadable = unreadable  # no part of the table, so no migration names it
        super().__init__(*args, **kwargs)

    def get_prep_value(self, value: Any) -> Any:
        return _keys().encrypt(value.encode()).decode() if value else ""

    def from_db_value(self, value: str | None, *_: Any) -> str:
        try:
            return _keys().decrypt(value.encode()).decode() if value else ""
        except InvalidToken:
            return self._unreadable

    def value_to_string(self, obj: models.Model) -> str:
        """As it stands in the database: a dump holds no password either, and is loaded with the same key."""
        return str(self.get_prep_value(self.value_from_object(obj)))

    def to_python(self, value: Any) -> Any:
        return self.from_db_value(value) if isinstance(value, str) and value.startswith(_BEGINNING) else value


def rotate(token: str) -> str:
    """`token` encrypted anew with the first key. Raises InvalidToken when no key opens it."""
    return _keys().rotate(token.encode()).decode()
