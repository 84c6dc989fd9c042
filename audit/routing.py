"""Which database the inbox lies in.

On SQLite, where one writer waits for the other, it is a file of its own: a registry that tells something waits for no
scan. On PostgreSQL it is in the one database that there is.
"""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.db.models import Model

from audit.models import Delivery, Quarantined, Refused

_INBOX: Final[frozenset[type[Model]]] = frozenset({Delivery, Quarantined, Refused})
_NAMES: Final = frozenset(("audit", model.__name__.lower()) for model in _INBOX)


class InboxRouter:
    def db_for_read(self, model: type[Model], **_hints: Any) -> str | None:
        return str(settings.INBOX_DATABASE) if model in _INBOX else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_hints: Any) -> bool:
        """The inbox's own database has nothing else, and nothing of it is elsewhere."""
        if settings.INBOX_DATABASE == "default":
            return db == "default"
        return (db == settings.INBOX_DATABASE) == ((app_label, model_name) in _NAMES)
