"""The environment of our children, and the record of a running start that `./run manage` finds it by."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Final

from django.core.exceptions import ImproperlyConfigured

from registry_ui import env
from registry_ui.start import keys, lock, machine, storage, sweeping
from registry_ui.start.errors import StartError
from registry_ui.start.options import Options, netloc

# What a file may hold instead (NAME_FILE), and no record of ours does.
SECRETS: Final = (
    "BERTH_SECRET_KEY",
    "BERTH_CREDENTIALS_KEY",
    "BERTH_REGISTRY_PASSWORD",
    "BERTH_REGISTRY_CLIENT_KEY",
    "BERTH_REGISTRY_EVENTS_SECRET",
    "BERTH_EMAIL_URL",
    "DATABASE_URL",
    "REDIS_URL",
)
_RECORD: Final = "run.json"
_FOR_OTHERS: Final = ("BERTH_TEST_", "BERTH_BENCH_")  # what tests and benches read
# What no child but Django's needs to see.
_PLAIN: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH")


def django(options: Options, key_files: Mapping[str, Path], redis_url: str) -> dict[str, str]:
    """What Django's processes are told on top of our own environment."""
    told = {
        "DJANGO_SETTINGS_MODULE": "registry_ui.settings",
        "PYTHONUNBUFFERED": "1",
        "BERTH_DATA": str(options.data),
        "BERTH_PUBLIC_URL": options.public_url,
        "BERTH_LOG_FORMAT": options.log_format,
        "BERTH_ALLOWED_HOSTS": " ".join([*env.words("BERTH_ALLOWED_HOSTS"), *_hosts(options)]),
        "BERTH_REGISTRY_URL": registry_url(options),
        "BERTH_REGISTRY_PLAIN_HTTP": str(options.plain_http).lower(),
        "BERTH_REGISTRY_EMBEDDED": str(not options.registry).lower(),
        **storage.told(options),
        **_secret("BERTH_SECRET_KEY", key_files["secret-key"]),
        **_secret("BERTH_CREDENTIALS_KEY", key_files["credentials-key"]),
    }
    if not options.registry:  # another's secret is its owner's to give, or Berth's to issue
        told["BERTH_CLEANUP_COMMANDS"] = _commands(sweeping.commands_file(options.data))
        told |= _secret("BERTH_REGISTRY_EVENTS_SECRET", key_files["events-secret"])
    if not options.redis_url:
        told["REDIS_URL"] = redis_url
    return told


def for_others(options: Options) -> str:
    """The host by which others reach a Berth that listens everywhere and was given no name; else nothing."""
    if not options.is_everywhere or options.is_named:
        return ""
    return next(iter([*machine.addresses(), *machine.names()]), "")


def _hosts(options: Options) -> list[str]:
    """Names and addresses of this machine, where others can connect and nobody said what they type."""
    if not options.is_exposed or options.is_named:
        return []
    addresses = machine.addresses() if options.is_everywhere else [options.bind]
    return [*machine.names(), *(f"[{address}]" if ":" in address else address for address in addresses)]


def _commands(ours: Path) -> str:
    """The files that the operator names, and that of the local registry."""
    named = os.environ.get("BERTH_CLEANUP_COMMANDS", "").split(os.pathsep)
    return os.pathsep.join(dict.fromkeys([*filter(None, named), str(ours)]))


def registry_url(options: Options) -> str:
    """As pull commands name it: the local registry by the host by which others reach it."""
    host = "" if options.registry else for_others(options)
    return f"http://{netloc(host, options.registry_port)}" if host else options.registry_url


def check(settings: Mapping[str, str]) -> None:
    """Read all settings, as our children will, and keep `settings` as our own environment. Raises StartError."""
    os.environ.update(settings)
    try:
        import_module("registry_ui.settings")
    except ImproperlyConfigured as error:
        raise StartError(str(error)) from error


def remarks() -> list[str]:
    """A sentence on each BERTH_ variable that nothing reads; after `check`, when all that is read was read."""
    known = env.READ | {f"{name}_FILE" for name in SECRETS}
    given = {name for name in os.environ if name.startswith("BERTH_") and not name.startswith(_FOR_OTHERS)}
    return [_remark(name, known) for name in sorted(given - known)]


def _remark(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, 1, 0.8)
    cure = f"did you mean {near[0]}?" if near else "docs/settings.md lists those there are."
    return f"{name} is no setting: {cure}"


def plain() -> dict[str, str]:
    """Enough to run a program that has no business with our settings and secrets."""
    return {name: os.environ[name] for name in _PLAIN if name in os.environ}


def _secret(variable: str, file: Path) -> dict[str, str]:
    """Ours, unless the operator keeps their own."""
    if os.environ.get(variable) or os.environ.get(f"{variable}_FILE"):
        return {}
    return {f"{variable}_FILE": str(file)}


@dataclass(frozen=True, slots=True)
class Record:
    """What a running start leaves in the data folder for whoever comes by; mode 0600."""

    pid: int
    folder: str  # of the socket; empty with an external Redis
    settings: dict[str, str]

    def write(self, data: Path) -> None:
        keys.write_private(data / _RECORD, json.dumps(asdict(self), indent=1))

    @staticmethod
    def remove(data: Path) -> None:
        (data / _RECORD).unlink(missing_ok=True)


def read(data: Path) -> Record | None:
    """The record in `data`, also one that a killed start has left."""
    try:
        return Record(**json.loads((data / _RECORD).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def running(data: Path) -> Record | None:
    return read(data) if lock.is_locked(data) else None


def without_secrets(settings: Mapping[str, str], data: Path) -> dict[str, str]:
    """`settings`, with the name of a file in the place of each secret; what had none is lent one (see keys.py)."""
    kept = settings_in(settings)
    for name in SECRETS:
        if kept.get(name):
            kept[f"{name}_FILE"] = str(keys.lend(data, name, kept.pop(name)))
    return kept


def settings_in(environment: Mapping[str, str]) -> dict[str, str]:
    """Those variables that settings.py reads."""
    ours = ("BERTH_", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
    return {name: value for name, value in environment.items() if name.startswith(ours)}
