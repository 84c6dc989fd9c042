"""A real distribution registry for tests: its own process, storage folder and loopback port.

    with RealRegistry(folder) as registry:
        urlopen(f"{registry.url}/v2/")

`htpasswd=True` lets only `USERNAME` with `PASSWORD` in, and `htpasswd=SLOW_HTPASSWD` is slow to; `token=` takes the
lines of the registry's `auth.token`; `tls=` takes the paths of a certificate and its key, and `clients=` those of what
a client has to show. A missing program fails the test and says how to get it: a skipped suite is a green lie.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

USERNAME = "alice"
PASSWORD = "open-sesame"
# htpasswd -nbB -C 5 alice open-sesame
HTPASSWD = "alice:$2b$05$YQLvsq0ijO7tas45K0UupeRQoNlGyYwCZ7HBxTkyYhlcsMzqP01Nm"
SLOW_HTPASSWD = "alice:$2b$10$YQLvsq0ijO7tas45K0UupepxlBKEspzHIGozDPRunwOCXg7eD.H3."  # -C 10

V2 = "2.8"
V3 = "3"
_APT = "the docker-registry program is missing: apt-get install docker-registry (or put its folder on PATH)"


def binary(generation: str) -> str | None:
    """The program for a generation, if this machine has it. BERTH_TEST_REGISTRY_V3 may name the one of 3."""
    if generation == V2:
        return shutil.which("docker-registry")
    named = os.environ.get("BERTH_TEST_REGISTRY_V3") or shutil.which("registry")
    return named if named and " v3." in _version(named) else None


def generations() -> list[str]:
    """Those to test against: 2.8 always, 3 where it is installed."""
    return [V2, V3] if binary(V3) else [V2]


def generations_in_turn() -> list[Any]:
    """For a test that is long: 2.8 always, 3 as one of those that are sampled."""
    return [V2, *[pytest.param(other, marks=pytest.mark.sampled) for other in generations()[1:]]]


class RealRegistry:
    def __init__(  # noqa: PLR0913  each is a switch of the registry
        self,
        folder: Path,
        generation: str = V2,
        *,
        htpasswd: bool | str = False,
        token: Mapping[str, str] | None = None,
        tls: tuple[Path, Path] | None = None,
        clients: tuple[Path, Path] | None = None,
        deletes: bool = True,
        settings: Mapping[str, Any] | None = None,
        storage: Mapping[str, Any] | None = None,
    ) -> None:
        # What a person would add to the file, and to the environment, before the next start.
        self.added, self.variables = "", ""
        self.folder, self.generation = folder, generation
        self.port = _free_port()
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self.storage = folder / "storage"
        self._htpasswd, self._token, self._tls, self._deletes = htpasswd, token, tls, deletes
        self._clients = clients
        self._settings, self._storage = dict(settings or {}), dict(storage or {})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        program = binary(self.generation) or pytest.fail(_APT)
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "config.yml"
        sections = (f"{name}: {json.dumps(section)}\n" for name, section in self._config().items())  # JSON is YAML too
        config.write_text("".join([*sections, self.added]))
        variables = dict(line.split("=", 1) for line in self.variables.splitlines())
        environment = {"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none", **variables}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [program, "serve", str(config)],
                stdout=log,
                stderr=log,
                env=environment,
            )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def _config(self) -> dict[str, Any]:
        http: dict[str, Any] = {"addr": f"127.0.0.1:{self.port}", "secret": "only-for-tests"}
        if self._tls:
            http["tls"] = {"certificate": str(self._tls[0]), "key": str(self._tls[1])}
            if self._clients:
                http["tls"]["clientcas"] = [str(self._clients[0])]
        config: dict[str, Any] = {
            "version": 0.1,
            "log": {"level": "info"},
            "storage": {
                "filesystem": {"rootdirectory": str(self.storage)},
                "delete": {"enabled": self._deletes},
                "maintenance": {"uploadpurging": {"enabled": False}},
                **self._storage,
            },
            "http": http,
        }
        if self._htpasswd:
            passwords = self.folder / "htpasswd"
            passwords.write_text(f"{HTPASSWD if self._htpasswd is True else self._htpasswd}\n")
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(passwords)}}
        if self._token:
            config["auth"] = {"token": dict(self._token)}
        return config | self._settings

    def _wait(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if self._clients:
            context.load_cert_chain(*self._clients)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.url}/v2/", context=context, timeout=5).close()
            except urllib.error.HTTPError as answer:
                answer.close()
                return  # it asks for credentials, so it is there
            except OSError:
                if self._process is None or self._process.poll() is not None:
                    break
                time.sleep(0.02)
            else:
                return
        pytest.fail(f"the registry did not start:\n{self.log.read_text()[-2000:]}")


def _version(program: str) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
