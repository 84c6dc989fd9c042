"""`--postgresql`: what the tests do with the database, on a PostgreSQL that is started for them and leaves nothing.

It runs those that use the database, whatever they are about, save those in a browser, since others ask for the same
pages, those at a second kind of registry: what one answers is the same on either database; and those that say of
themselves that what they show does not depend on it (`any_database`).
`BERTH_TEST_DATABASE_URL` may name a server to use instead of a new one.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.real_registry import V3

_DEBIAN: Final = Path("/usr/lib/postgresql")  # and there a folder a version, on nobody's PATH
_NOBODY: Final = pwd.getpwnam("nobody")
# It sorts as a language does, as the servers of others may.
_INITDB: Final = (
    *("--auth=trust", "--username=berth", "--no-sync"),
    *("--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US"),
)
# What is in it may be lost.
_SETTINGS: Final = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
_OUR_FIXTURES: Final = {"db", "transactional_db"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgresql", action="store_true", help="run what uses the database on a PostgreSQL of its own")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, Any, Any]:
    """Before Django reads its settings."""
    if early_config.known_args_namespace.postgresql:
        if "BERTH_TEST_DATABASE_URL" not in os.environ:
            server = Server()
            early_config.add_cleanup(server.stop)
            os.environ["BERTH_TEST_DATABASE_URL"] = server.start()
        os.environ["DATABASE_URL"] = os.environ["BERTH_TEST_DATABASE_URL"]
    return (yield)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.postgresql:
        others = [item for item in items if not _asks_the_database(item)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if _asks_the_database(item)]


def _asks_the_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    uses = fixtures & _OUR_FIXTURES or item.get_closest_marker("django_db")
    if not uses or "chromium" in fixtures or _is_of_registry_3(item):
        return False
    return item.get_closest_marker("any_database") is None


def _is_of_registry_3(item: pytest.Item) -> bool:
    spec = getattr(item, "callspec", None)
    return spec is not None and V3 in spec.params.values()


class Server:
    """In a temporary folder, with a socket there and no port."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="berth-postgresql-"))

    def start(self) -> str:
        """The address of a database in it."""
        if not os.geteuid():
            os.chown(self._folder, _NOBODY.pw_uid, _NOBODY.pw_gid)
        self._do("initdb", *_INITDB)
        self._do("pg_ctl", "start", "--wait", "--log=log", f"--options=-k {self._folder} {_SETTINGS}")
        return f"postgres://berth@{str(self._folder).replace('/', '%2F')}/postgres"

    def stop(self) -> None:
        if (self._folder / "data/postmaster.pid").exists():
            self._do("pg_ctl", "stop", "--mode=immediate")
        shutil.rmtree(self._folder)

    def _do(self, name: str, *arguments: str) -> None:
        """As nobody, where root asks: PostgreSQL refuses it."""
        nobody: dict[str, Any] = {"user": _NOBODY.pw_uid, "group": _NOBODY.pw_gid, "extra_groups": []}
        done = subprocess.run(
            [_program(name), "--pgdata=data", *arguments],
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            **({} if os.geteuid() else nobody),
        )
        if done.returncode:
            log = self._folder / "log"
            raise pytest.UsageError(f"{name}: {done.stderr}{log.read_text() if log.exists() else ''}")


def _program(name: str) -> str:
    """The one on the PATH, or the newest that Debian has put away."""
    newest = sorted(_DEBIAN.glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True)
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, newest)]))
    if found is None:
        raise pytest.UsageError("--postgresql needs a PostgreSQL 15 or newer: apt-get install postgresql")
    return found
