"""What the database itself sees to: it refuses to change or delete what is only added, and notes what is to be sealed.

Whoever owns the database can take these triggers away. They are against mistakes; `audit.verification` finds the rest.
"""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

TABLES: Final = ("audit_entry", "audit_link", "audit_anchor")
_REFUSAL: Final = "rows of the audit are only added"
# Only pulls are ever deleted: when those of a day become one (`audit.folding`).
_SQLITE: Final = {
    "audit_entry_update": f"BEFORE UPDATE ON audit_entry BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
    "audit_entry_delete": f"""
        BEFORE DELETE ON audit_entry WHEN OLD.act <> 'pull' BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END
    """,
    "audit_entry_waits": """
        AFTER INSERT ON audit_entry WHEN NEW.act <> 'pull'
        BEGIN INSERT INTO audit_unsealed (entry_id) VALUES (NEW.id); END
    """,
    "audit_link_update": f"BEFORE UPDATE ON audit_link BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
    "audit_link_delete": f"BEFORE DELETE ON audit_link BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
    "audit_anchor_update": f"BEFORE UPDATE ON audit_anchor BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
    "audit_anchor_delete": f"BEFORE DELETE ON audit_anchor BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
}
_FUNCTIONS: Final = (
    f"""
    CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$
    """,
    """
    CREATE OR REPLACE FUNCTION audit_wait() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO audit_unsealed (entry_id) SELECT id FROM added WHERE act <> 'pull'; RETURN NULL; END $$
    """,
)
_REFUSE: Final = "EXECUTE FUNCTION audit_refuse()"
_POSTGRESQL: Final = {
    "audit_entry_update": f"BEFORE UPDATE ON audit_entry FOR EACH ROW {_REFUSE}",
    "audit_entry_delete": f"BEFORE DELETE ON audit_entry FOR EACH ROW WHEN (OLD.act <> 'pull') {_REFUSE}",
    "audit_entry_truncate": f"BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT {_REFUSE}",
    "audit_entry_waits": """
        AFTER INSERT ON audit_entry REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION audit_wait()
    """,
    "audit_link_update": f"BEFORE UPDATE ON audit_link FOR EACH ROW {_REFUSE}",
    "audit_link_delete": f"BEFORE DELETE ON audit_link FOR EACH ROW {_REFUSE}",
    "audit_link_truncate": f"BEFORE TRUNCATE ON audit_link FOR EACH STATEMENT {_REFUSE}",
    "audit_anchor_update": f"BEFORE UPDATE ON audit_anchor FOR EACH ROW {_REFUSE}",
    "audit_anchor_delete": f"BEFORE DELETE ON audit_anchor FOR EACH ROW {_REFUSE}",
    "audit_anchor_truncate": f"BEFORE TRUNCATE ON audit_anchor FOR EACH STATEMENT {_REFUSE}",
}
_MAKE: Final = {"sqlite": "CREATE TRIGGER", "postgresql": "CREATE OR REPLACE TRIGGER"}
_TRIGGERS: Final = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
_THERE: Final = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    # One that somebody has switched off is not there.
    "postgresql": """
        SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = current_schema()::regnamespace AND tgenabled <> 'D'
    """,
}


def lay(connection: BaseDatabaseWrapper) -> None:
    """Make what is lacking of the triggers. After each migration: SQLite makes an altered table anew, without them."""
    if not {*TABLES, "audit_unsealed"} <= set(connection.introspection.table_names()):
        return  # a migration back to before there was a chain
    triggers = _TRIGGERS[connection.vendor]
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(_THERE[connection.vendor])
        lacking = sorted(triggers.keys() - {name for (name,) in cursor.fetchall()})
        for statement in _FUNCTIONS if lacking and connection.vendor == "postgresql" else ():
            cursor.execute(statement)
        for name in lacking:
            cursor.execute(f"{_MAKE[connection.vendor]} {name} {triggers[name]}")


def lift(connection: BaseDatabaseWrapper) -> None:
    """Take all triggers away, for a migration back to before there was a chain: they write to its tables."""
    with connection.cursor() as cursor:
        for name in _TRIGGERS[connection.vendor]:
            (table,) = (table for table in TABLES if name.startswith(f"{table}_"))
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")
