"""What the database refuses, whoever asks; and that nothing in Berth asks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import IntegrityError, connection, transaction

from api.v1 import description
from audit import chain, guard
from audit.guard import lift
from audit.models import Entry, Unsealed
from tests.audit.furniture import entry

pytestmark = pytest.mark.django_db

CHANGES = (
    "UPDATE audit_entry SET actor = 'nobody'",
    "UPDATE audit_entry SET act = 'pull'",
    "DELETE FROM audit_entry",
    "UPDATE audit_link SET entry_id = 99",
    "DELETE FROM audit_link",
    "UPDATE audit_anchor SET first = 0",
    "DELETE FROM audit_anchor",
    *(f"TRUNCATE {table}" for table in guard.TABLES),
)


def execute(statement: str) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


@pytest.mark.parametrize("statement", CHANGES)
def test_the_database_refuses(statement: str) -> None:
    if statement.startswith("TRUNCATE") and connection.vendor == "sqlite":
        pytest.skip("SQLite has no such statement")
    entry()
    chain.seal(1)

    with pytest.raises(IntegrityError, match="only added"):
        execute(statement)


def test_of_pulls_it_refuses_changes_alone() -> None:
    entry(act=Entry.Act.PULL)

    with pytest.raises(IntegrityError, match="only added"):
        execute("UPDATE audit_entry SET count = 2")
    assert execute("DELETE FROM audit_entry") == 1


def test_one_key_is_one_entry_and_waits_once() -> None:
    row = entry(key="same")
    entry(key="same")

    assert list(Unsealed.objects.values_list("pk", flat=True)) == [row.pk]


def test_triggers_that_are_lacking_are_laid_anew() -> None:
    lift(connection)
    guard.lay(connection)
    guard.lay(connection)
    row = entry()

    with pytest.raises(IntegrityError, match="only added"):
        execute("DELETE FROM audit_entry")
    assert Unsealed.objects.get().pk == row.pk


def test_a_trigger_that_is_switched_off_is_switched_on() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has none that are off")
    entry()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    guard.lay(connection)

    with pytest.raises(IntegrityError, match="only added"):
        execute("DELETE FROM audit_entry")


@pytest.mark.django_db(transaction=True)
def test_a_table_that_was_made_anew_has_its_rows_and_is_guarded() -> None:
    """As SQLite does where a migration alters it; what a migration ends with lays the triggers."""
    if connection.vendor != "sqlite":
        pytest.skip("the others alter the table that is there")
    row = entry()
    chain.seal(1)
    with connection.schema_editor() as editor:
        editor._remake_table(Entry)  # type: ignore[attr-defined]  # the stubs lack it
    emit_post_migrate_signal(0, interactive=False, db="default")

    assert list(Entry.objects.all()) == [row]
    assert not Unsealed.objects.exists()
    with pytest.raises(IntegrityError, match="only added"):
        execute("DELETE FROM audit_entry")


@pytest.mark.django_db(transaction=True)
def test_a_migration_back_to_before_the_chain_takes_the_triggers_along() -> None:
    try:
        call_command("migrate", "audit", "0003", verbosity=0)
        entry()
        call_command("migrate", "audit", "0002", verbosity=0)
        execute("DELETE FROM audit_entry")
    finally:
        call_command("migrate", verbosity=0)
    row = entry()

    assert Unsealed.objects.get().pk == row.pk
    with pytest.raises(IntegrityError, match="only added"):
        execute("DELETE FROM audit_entry")


def test_there_is_no_admin() -> None:
    assert "django.contrib.admin" not in settings.INSTALLED_APPS


def test_the_api_only_reads_the_activity() -> None:
    methods = {
        method for path, operations in description()["paths"].items() if "activity" in path for method in operations
    }

    assert methods == {"get"}


def test_nobody_but_the_audit_writes_sql_to_its_tables() -> None:
    """The querysets refuse (test_chain); what goes round them names the table."""
    root = Path(guard.__file__).parents[1]
    floors = "oci", "registries", "access", "jobs", "catalog", "tagging", "web", "api", "registry_ui"
    bench = root / "registry_ui/bench"  # it fills databases of its own
    files = [file for floor in floors for file in (root / floor).rglob("*.py") if not file.is_relative_to(bench)]

    assert len(files) > 300
    assert not [file for file in files if re.search(r"audit_(entry|link|anchor)|_raw_delete", file.read_text())]


def test_the_audit_deletes_nothing_but_pulls() -> None:
    root = Path(guard.__file__).parent
    texts = [file.read_text() for file in root.rglob("*.py")]
    written = [line for text in texts for line in re.findall(r"(?:UPDATE|DELETE FROM) audit_.*", text)]

    assert all(line.startswith("DELETE FROM audit_entry WHERE act = 'pull'") for line in written)
    assert len(written) == 1
