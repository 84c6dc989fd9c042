"""The order of a start, from the lock to the line that says Berth is ready."""

from __future__ import annotations

import os
import shutil
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from registry_ui import env
from registry_ui.logs import redact
from registry_ui.start import commanding, environment, keys, probes, registry, samples, services, storage, valkey
from registry_ui.start.environment import Record
from registry_ui.start.errors import StartError, StepFailed
from registry_ui.start.journal import Console
from registry_ui.start.lock import locked
from registry_ui.start.options import Options, netloc, reachable
from registry_ui.start.supervisor import Outcome, Supervisor

_OF_THE_INBOX: Final = ("--database", "inbox", "--noinput", "--verbosity", "0")  # on SQLite a file of its own
_SCAN_SECONDS: Final = 20  # a longer first scan goes on behind the pages
_PORT_SECONDS: Final = 3.0  # what a killed start has left on a port is gone by then


def run(options: Options, console: Console) -> None:
    """Start everything and watch it until it ends; raises what ended it (see errors.py)."""
    with ExitStack() as stack:
        stack.enter_context(locked(options.data))
        start = _Start(options, console, keys.prepare(options.data))
        stack.callback(start.clean_up)
        _check_ports(options)
        storage.check(options)
        start.supervisor = stack.enter_context(Supervisor(console, options.data / "logs"))
        stack.callback(console.say, "Berth is stopping")
        start.begin()
        start.supervisor.watch()


@dataclass
class _Start:
    options: Options
    console: Console
    key_files: dict[str, Path]
    supervisor: Supervisor = field(init=False)
    password: str = ""  # of the first admin, until it has been shown
    folder: Path | None = None

    @property
    def _marker(self) -> Path:
        """Exists once a start of this data folder has come to its end; later ones need not wait for a scan."""
        return self.options.data / "ready"

    def begin(self) -> None:
        options, run = self.options, self.supervisor.start
        self._broker()
        self._check_database()
        environment.check(environment.django(options, self.key_files, self._redis_url))
        self.settings = dict(os.environ)
        self._record()
        self.console.say(f"Berth starts; its data is in {options.data}")
        for remark in [*environment.remarks(), *storage.remarks(options)]:
            self.console.warn(remark)
        self._say_who_gets_in()
        if self.folder:
            run(valkey.service(options, self.folder))
        if not options.registry:
            program = registry.program(options, self.supervisor, self.console)
            events_secret = env.secret("BERTH_REGISTRY_EVENTS_SECRET")
            run(registry.service(options, program, self.key_files["registry-secret"], events_secret))
        first = not self._marker.exists()
        self._prepare(*(() if first else (("scan",),)))
        if options.samples and not options.registry:
            self._push_samples()
        for service in services.all_of(options, self.settings):
            run(service)
        if first:
            self._first_scan()
        host, port = reachable(options.bind), options.port
        self.supervisor.wait_for(lambda: probes.answers(host, port, "/readyz"), "Berth's pages are not ready")
        self._say_ready()
        self._marker.touch()

    def _say_who_gets_in(self) -> None:
        options = self.options
        if options.is_exposed and not options.registry:
            self.console.warn(
                f"Note: the local registry asks for no password; whoever reaches port {options.registry_port} of"
                f" {options.bind} may push and delete"
            )
        if host := environment.for_others(options):
            self.console.say(
                f"Others reach it at http://{netloc(host, options.port)};"
                " set BERTH_PUBLIC_URL (and BERTH_REGISTRY_PUBLIC) to what they type"
            )

    def clean_up(self) -> None:
        """What a start must not leave, whether it came to its end or not."""
        if self.password:
            self.console.say(f"Not ready, but the first admin exists: sign in as admin with {self.password}")
        Record.remove(self.options.data)
        keys.take_back(self.options.data)
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _broker(self) -> None:
        if (old := environment.read(self.options.data)) and Path(old.folder).name.startswith(valkey.PREFIX):
            shutil.rmtree(old.folder, ignore_errors=True)  # of a start that was killed
        if not self.options.redis_url:
            self.folder = valkey.socket_folder()
            self._redis_url = valkey.url(self.folder)
            return
        self._redis_url = self.options.redis_url
        if problem := probes.pongs(self._redis_url):
            raise StartError(f"The Redis of REDIS_URL does not answer ({problem}): start it, or unset REDIS_URL.")

    def _check_database(self) -> None:
        if self.options.database_url and (problem := probes.database_problem(self.options.database_url)):
            raise StartError(
                f"The PostgreSQL of DATABASE_URL cannot be used ({redact(problem)}): start it or correct the address,"
                " or unset DATABASE_URL and the database is SQLite in the data folder."
            )

    def _record(self) -> None:
        keys.take_back(self.options.data)  # of a start that was killed
        settings = environment.without_secrets(self.settings, self.options.data)
        Record(os.getpid(), str(self.folder or ""), settings).write(self.options.data)

    def _manage(self, name: str, *commands: tuple[str, ...]) -> Outcome:
        """Commands of manage.py, in one process."""
        words = [word for command in commands for word in (*command, commanding.END)]
        return self.supervisor.run(name, [sys.executable, "-m", "registry_ui.start.commanding", *words], self.settings)

    def _prepare(self, *more: tuple[str, ...]) -> None:
        outcome = self._manage(
            "prepare",
            ("migrate", "--noinput", "--verbosity", "0"),
            *(() if self.options.database_url else (("migrate", "audit", *_OF_THE_INBOX),)),
            ("collectstatic", "--noinput", "--verbosity", "0"),
            ("prepare",),
            *more,
        )
        for line in outcome.output.splitlines():
            name, _, value = line.partition(": ")
            if name == "admin-password":
                self.password = value.strip()
        if not self.console.shows_children:
            for remark in outcome.remarks:
                self.console.warn(remark)

    def _push_samples(self) -> None:
        marker = self.options.data / "samples"
        if marker.exists() and marker.read_text() == samples.DONE:
            return
        command = [sys.executable, "-m", "registry_ui.start.samples", self.options.registry_url, str(marker)]
        for line in self.supervisor.run("samples", command, self.settings).output.splitlines():
            self.console.say(line)

    def _first_scan(self) -> None:
        """The very first is waited for, so that there is something to see."""
        try:
            self._manage("scan", ("scan", "--wait", str(_SCAN_SECONDS)))
        except StepFailed as error:
            self.console.say(f"The first scan is not done yet: {error}")

    def _say_ready(self) -> None:
        password, self.password = self.password, ""
        sign_in = f" · sign in as admin with {password}" if password else ""
        self.console.say(f"Berth is ready at {self.options.public_url}{sign_in}")


def _check_ports(options: Options) -> None:
    _check_port(options.bind, options.port, "--port (BERTH_PORT)")
    if not options.registry:
        other = "--registry-port (BERTH_REGISTRY_PORT), or use the registry that runs there with --registry URL"
        _check_port(options.bind, options.registry_port, other)


def _check_port(bind: str, port: int, other: str) -> None:
    deadline = time.monotonic() + _PORT_SECONDS
    while problem := probes.port_problem(bind, port):
        if problem != "is in use" or time.monotonic() > deadline:
            raise StartError(f"Port {port} of {bind} {problem}: choose another with {other}.")
        time.sleep(0.1)
