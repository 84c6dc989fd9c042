"""What a Berth of the bench's own has recorded of pushes, read from its database."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from registry_ui.bench.site import Site


def story(site: Site) -> list[tuple[str, str, str, str]]:
    """Act, tag, and the digests before and after, of each entry that events made, the oldest first."""
    with closing(sqlite3.connect(f"file:{site.database}?mode=ro", uri=True)) as database:
        return database.execute(
            "SELECT act, tag, digest_before, digest_after FROM audit_entry WHERE source = 'event' ORDER BY id"
        ).fetchall()
