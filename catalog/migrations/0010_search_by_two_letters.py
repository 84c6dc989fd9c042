"""The table of trigrams of SQLite under another name: it also has what stands at the end of a name, for two letters."""

from __future__ import annotations

from typing import Any

from django.db import migrations

_OLD = "catalog_tag_search"


def drop_the_old(apps: Any, schema_editor: Any) -> None:
    """The new one is made after the migrations, as whenever it is lacking."""
    if schema_editor.connection.vendor == "sqlite":
        for what in (f"TRIGGER IF EXISTS {_OLD}_insert", f"TRIGGER IF EXISTS {_OLD}_delete", f"TABLE IF EXISTS {_OLD}"):
            schema_editor.execute(f"DROP {what}")


class Migration(migrations.Migration):
    dependencies = [("catalog", "0009_spans_in_order")]
    operations = [migrations.RunPython(drop_the_old, migrations.RunPython.noop)]
