"""Berths with a filled catalog: on SQLite, and on PostgreSQL where one is at hand; a folder keeps them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from registry_ui.bench.catalog_data.shape import Catalog
from registry_ui.bench.errors import BenchError
from registry_ui.bench.site import Site

DATABASE_URL: Final = "BERTH_BENCH_DATABASE_URL"
_FILLING: Final = "registry_ui.bench.catalog_data.filling"
_ROOT: Final = Path(__file__).resolve().parents[2]
_MADE: Final = "made.json"
_DATA_VERSION: Final = 6  # one more where the same size and seed give other rows


@contextmanager
def filled(catalog: Catalog, data: Path | None, say: Callable[[str], None]) -> Iterator[dict[str, Site]]:
    """By the name of the database. `data`: the folder that keeps them; without one all that was made is removed."""
    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="berth-bench-")))
        sites = {"SQLite": _filled(catalog, folder / "sqlite", "", say)}
        if server := os.environ.get(DATABASE_URL):
            name = f"berth_bench_{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]}"
            if not data:
                stack.callback(_drop, server, name)
            sites["PostgreSQL"] = _filled_there(catalog, folder / "postgresql", server, name, say)
        else:
            say(f"PostgreSQL: not measured, since {DATABASE_URL} names none")
        yield sites


def _filled(catalog: Catalog, folder: Path, database_url: str, say: Callable[[str], None]) -> Site:
    where = "PostgreSQL" if database_url else "SQLite"
    made, wanted = folder / _MADE, _description(catalog)
    if made.is_file() and json.loads(made.read_text()) == wanted:
        say(f"{where}: the catalog in {folder} is used again")
        return Site.new(folder, database_url)
    shutil.rmtree(folder, ignore_errors=True)
    say(f"{where}: filling a catalog of {catalog.tags:,} tags in {catalog.repositories:,} repositories")
    site = Site.new(folder, database_url)
    site.run(_FILLING, str(catalog.repositories), str(catalog.tags), str(catalog.wide), str(catalog.seed))
    site.add_person()
    made.write_text(json.dumps(wanted))
    return site


def _filled_there(catalog: Catalog, folder: Path, server: str, name: str, say: Callable[[str], None]) -> Site:
    """In a database of that name, which is used again where `folder` says what is in it."""
    made = folder / _MADE
    is_made = made.is_file() and json.loads(made.read_text()) == _description(catalog)
    if not is_made or not _exists(server, name):
        made.unlink(missing_ok=True)
        _drop(server, name)
        _execute(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return _filled(catalog, folder, urlunsplit(urlsplit(server)._replace(path=f"/{name}")), say)


def _description(catalog: Catalog) -> dict[str, object]:
    """What was made: with other tables it has to be made anew."""
    migrations = sorted(f"{path.parts[-3]}.{path.stem}" for path in _ROOT.glob("*/migrations/[0-9]*.py"))
    return {**asdict(catalog), "version": _DATA_VERSION, "migrations": migrations}


def _exists(server: str, name: str) -> bool:
    with _connected(server) as connection:
        return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None


def _drop(server: str, name: str) -> None:
    _execute(server, sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def _execute(server: str, statement: sql.Composed) -> None:
    with _connected(server) as connection:
        connection.execute(statement)


@contextmanager
def _connected(server: str) -> Iterator[psycopg.Connection]:
    try:
        with psycopg.connect(server, autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        raise BenchError(f"{DATABASE_URL}: {error}") from error
