"""The local registry: a program of the distribution project, its configuration, and where to get it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

from registries import notifications
from registry_ui.start import environment, keys, mode, probes, storage, sweeping
from registry_ui.start.errors import StartError
from registry_ui.start.journal import Console
from registry_ui.start.options import Options, netloc, reachable
from registry_ui.start.supervisor import Service, Supervisor

_NAMES: Final = ("docker-registry", "registry")
_PACKAGE: Final = "docker-registry"
_PROBE: Final = "/v2/berth-probe/"  # where oci.probe asks for what is not there, which each registry calls an error


def service(options: Options, program: str, secret: Path, events_secret: str) -> Service:
    """`events_secret` is what it shows when it tells Berth what happens."""
    storage.local(options).mkdir(exist_ok=True)  # the registry makes it at the first push: nobody should miss it before
    config = options.data / "registry.yml"
    content = _config(options, secret.read_text().strip(), events_secret)
    keys.write_private(config, json.dumps(content, indent=2, ensure_ascii=False))  # JSON is YAML
    asked = sweeping.prepare(options.data, environment.registry_url(options), program, config)
    return Service(
        "registry",
        [program, "serve", str(config)],
        # Its own variables (REGISTRY_…) would change the configuration behind our back: of ours it sees one alone.
        {**environment.plain(), "OTEL_TRACES_EXPORTER": "none"},
        ready=lambda: probes.answers(reachable(options.bind), options.registry_port, "/v2/"),
        stage=1,
        noise=_PROBE,
        variables=lambda: mode.variables(asked),
    )


def program(options: Options, supervisor: Supervisor, console: Console) -> str:
    """The registry on PATH, the one fetched before, or Debian's, fetched now: no root, nothing installed."""
    fetched = options.data / "bin" / "docker-registry"
    if found := next(filter(None, map(shutil.which, (*_NAMES, str(fetched)))), None):
        return found
    if shutil.which("apt-get") and shutil.which("dpkg"):
        console.say("Fetching a registry: Debian's package docker-registry, unpacked into the data folder")
        _fetch(options, supervisor, fetched)
        if fetched.exists():
            return str(fetched)
    port = options.registry_port
    raise StartError(
        "No registry is on this machine (neither docker-registry nor registry is on PATH): start one with\n"
        f"  docker run -d -p 127.0.0.1:{port}:5000 -e REGISTRY_STORAGE_DELETE_ENABLED=true registry:2\n"
        f"and Berth with ./run --registry http://127.0.0.1:{port}"
    )


def _config(options: Options, secret: str, events_secret: str) -> dict[str, Any]:
    # It is up before Berth's pages are, and tries again until they take what it has to tell.
    berth = f"http://{netloc(reachable(options.bind), options.port)}"
    return {
        "version": "0.1",
        "log": {"level": "warn", "formatter": options.log_format, "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage.local(options))},
            "delete": {"enabled": True},
            # No cache of blobs: it would remember those that a garbage collection has removed.
        },
        "http": {"addr": netloc(options.bind, options.registry_port), "secret": secret},
        "notifications": notifications.configuration(berth, notifications.OWN, events_secret),
    }


def _fetch(options: Options, supervisor: Supervisor, target: Path) -> None:
    """Download by apt, which checks the signatures; where its lists are empty, with lists of our own."""
    work = options.data / "bin" / "apt"
    for folder in ("lists/partial", "archives/partial"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    own = ("-o", f"Dir::State={work}", "-o", f"Dir::Cache={work}")
    try:
        if not _try(supervisor, work, "apt-get", "download", _PACKAGE):
            _try(supervisor, work, "apt-get", *own, "update")
            _try(supervisor, work, "apt-get", *own, "download", _PACKAGE)
        for package in work.glob(f"{_PACKAGE}_*.deb"):
            if _try(supervisor, work, "dpkg", "-x", str(package), str(work / "unpacked")):
                (work / "unpacked/usr/bin/docker-registry").replace(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _try(supervisor: Supervisor, folder: Path, *command: str) -> bool:
    """apt-get downloads into the folder it stands in."""
    try:
        supervisor.run("apt", command, environment.plain(), folder)
    except StartError:
        return False
    return True
