"""A Berth of the bench's own: data folder, keys, database, and the web server as `./run` starts it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from registry_ui.bench.errors import BenchError
from registry_ui.bench.processes import free_port, last_words, serving, spawn
from registry_ui.start import commanding, environment, keys, probes

_PYTHON: Final = (sys.executable, "-m")
_NOBODY: Final = "redis://127.0.0.1:1/0"  # no broker: the bench runs its jobs itself
STAFF: Final = "bench"


class Site:
    """`database_url`: a PostgreSQL; without it a SQLite in the data folder."""

    def __init__(self, data: Path, database_url: str = "") -> None:
        self.data, self.port = data, free_port()
        data.mkdir(parents=True, exist_ok=True)
        files = keys.prepare(data)
        self.environment = {
            **environment.plain(),
            "DJANGO_SETTINGS_MODULE": "registry_ui.settings",
            "PYTHONUNBUFFERED": "1",
            "BERTH_DATA": str(data),
            "BERTH_SECRET_KEY_FILE": str(files["secret-key"]),
            "BERTH_CREDENTIALS_KEY_FILE": str(files["credentials-key"]),
            "BERTH_PUBLIC_URL": self.url,
            "BERTH_LOG_LEVEL": "WARNING",
            "REDIS_URL": _NOBODY,
            **({"DATABASE_URL": database_url} if database_url else {}),
        }

    @classmethod
    def new(cls, data: Path, database_url: str = "") -> Site:
        """With all tables, empty where they are new, and the static files in their place."""
        site = cls(data, database_url)
        quiet = ("--noinput", "--verbosity", "0")
        inbox = () if database_url else (("migrate", "audit", "--database", "inbox", *quiet),)
        commands = (("migrate", *quiet), *inbox, ("collectstatic", *quiet))
        words = [word for command in commands for word in (*command, commanding.END)]
        site.run("registry_ui.start.commanding", *words)
        return site

    def copy(self, data: Path) -> Site:
        """Another one with the same rows; nobody may be writing to this one."""
        shutil.copytree(self.data, data)
        return Site(data)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        return self.data / "berth.sqlite3"

    @property
    def log(self) -> Path:
        return self.data / "log"

    def start(self, module: str, *words: str) -> subprocess.Popen[bytes]:
        """`python -m module words`, which knows this site; its standard output is a pipe."""
        with self.log.open("ab") as log:
            return spawn([*_PYTHON, module, *words], self.environment, stdout=subprocess.PIPE, stderr=log)

    def run(self, module: str, *words: str) -> str:
        """The same to its end; what it printed."""
        process = self.start(module, *words)
        output, _ = process.communicate()
        if process.returncode:
            raise BenchError(f"{module} failed:\n{last_words(self.log)}")
        return output.decode()

    def add_person(self) -> tuple[str, str]:
        """The name and password of somebody who may do everything."""
        said = self.run("registry_ui.start.commanding", "adduser", STAFF, "--staff", commanding.END)
        return STAFF, said.split()[-1]

    def new_password(self) -> tuple[str, str]:
        """The same for whom `add_person` has added, in an earlier run perhaps."""
        said = self.run("registry_ui.start.commanding", "setpassword", STAFF, commanding.END)
        return STAFF, said.split()[-1]

    @contextmanager
    def serving(self, *, timing: bool = False) -> Iterator[None]:
        """`timing`: each answer says in a header what it cost."""
        argv = [*_PYTHON, "gunicorn", "--config", "python:registry_ui.start.web", "--bind", f"127.0.0.1:{self.port}"]
        with serving(
            argv,
            {**self.environment, "BERTH_SERVER_TIMING": str(timing)},
            lambda: probes.answers("127.0.0.1", self.port, "/healthz"),
            self.data / "web",
            self.log,
        ):
            yield
