"""The commands by which a registry is made read-only, swept and opened again, from a file that no page can change.

Whoever may set commands runs code as Berth's worker. So they are in a file that only whoever runs Berth may write, and
the setting that names it is in the environment (docs/cleanup-classic.md, docs/decisions/0028).
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_noop

from registries.addresses import normal_address
from registries.models import Registry

_NONE: Final = gettext_noop(
    "No commands are set up for %(name)s: docs/cleanup-classic.md says how, in the file that BERTH_CLEANUP_COMMANDS"
    " names."
)
_UNREADABLE: Final = gettext_noop("The file of commands %(path)s cannot be read: %(fault)s.")
_OTHERS: Final = gettext_noop(
    "The commands in %(path)s are not run, since others than who runs Berth may write it or its folder, or own it."
)
_WRONG: Final = gettext_noop("The file of commands %(path)s is wrong: %(fault)s.")
SENTENCES: Final = (_NONE, _UNREADABLE, _OTHERS, _WRONG)

_SECONDS: Final = {
    "read-only-on": 600,
    "garbage-collect": 6 * 3600,
    "read-only-off": 600,
    "restart": 600,
    "answers": 120,  # after a restart
}
_KEYS: Final = frozenset({"address", "environment", "seconds", "dry-run", *_SECONDS}) - {"answers"}
_MOST: Final = 7 * 86400
_LARGEST: Final = 2**20  # bytes of the file
_COLLECT: Final = "garbage-collect"
_DRY: Final = "--dry-run"
_UNTAGGED: Final = re.compile(r"--delete-untagged\b|-[a-z]*m[a-z]*\Z", re.IGNORECASE)
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")  # no setting of Berth, no secret


class NoWay(Exception):  # noqa: N818  read by people: nobody has set it up, or not so that it may be used
    """`sentence` says why there are no commands to run."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotSetUp(NoWay):
    """Nothing is wrong: no file names this registry."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its words: no shell, unless the first word is one."""

    argv: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        return " ".join(self.argv)


@dataclass(frozen=True, slots=True)
class Way:
    """Of one registry. `answers` is how many seconds it may take until it serves after a restart."""

    address: str
    read_only_on: tuple[Command, ...]
    dry_run: Command
    collect: Command
    read_only_off: tuple[Command, ...]
    restart: tuple[Command, ...] = ()
    answers: float = _SECONDS["answers"]
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """All that its commands see."""
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {**passed_on, **self.variables}


def way_of(registry: Registry) -> Way:
    """As the files say now. Raises NoWay."""
    problem: NoWay | None = None
    for path in settings.CLEANUP_COMMANDS:
        try:
            ways = read(path)
        except NoWay as reason:
            problem = problem or reason
            continue
        if way := ways.get(registry.url):
            return way
    raise problem or NotSetUp(_NONE % {"name": registry.name})


def read(path: Path) -> dict[str, Way]:
    """The ways in a file by the address of their registry. Raises NoWay."""
    try:
        content = _trusted(path)
        document = tomllib.loads(content.decode())
    except OSError as error:
        raise NoWay(_UNREADABLE % {"path": path, "fault": error.strerror or type(error).__name__}) from error
    except ValueError as error:
        raise NoWay(_WRONG % {"path": path, "fault": error}) from error
    try:
        return _ways(document)
    except ValueError as error:
        raise NoWay(_WRONG % {"path": path, "fault": error}) from error


def _trusted(path: Path) -> bytes:
    """The content of a file that nobody else can have written. Raises OSError, NoWay."""
    with path.open("rb") as file:
        there = path.resolve()
        for status in (os.fstat(file.fileno()), there.parent.stat(), path.parent.stat()):
            if status.st_uid not in {os.geteuid(), 0} or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise NoWay(_OTHERS % {"path": path})
        return file.read(_LARGEST)


def _ways(document: Mapping[str, Any]) -> dict[str, Way]:
    if strange := document.keys() - {"registry"}:
        raise ValueError(f"{min(strange)} is no name it knows; each registry begins with [[registry]]")
    tables = document.get("registry", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ValueError("each registry begins with [[registry]]")
    found: dict[str, Way] = {}
    for table in tables:
        way = _way(table)
        if way.address in found:
            raise ValueError(f"{way.address} is there twice")
        found[way.address] = way
    return found


def _way(table: Mapping[str, Any]) -> Way:
    if strange := table.keys() - _KEYS:
        raise ValueError(f"{min(strange)} is no name it knows")
    address = table.get("address")
    if not isinstance(address, str) or not address:
        raise ValueError("a registry has no address, which is that by which Berth reaches it")
    seconds = _seconds(table.get("seconds", {}))
    collect = _command(table, _COLLECT, seconds[_COLLECT])
    dry_run = _command(table, "dry-run", collect.seconds) if "dry-run" in table else _dry(collect)
    _check(collect, dry_run)
    way = Way(
        address=_normal(address),
        read_only_on=_commands(table, "read-only-on", seconds),
        dry_run=dry_run,
        collect=collect,
        read_only_off=_commands(table, "read-only-off", seconds),
        restart=_commands(table, "restart", seconds) if "restart" in table else (),
        answers=seconds["answers"],
        variables=_variables(table.get("environment", {})),
    )
    for command in (*way.read_only_on, dry_run, collect, *way.read_only_off, *way.restart):
        _refuse_untagged(command)
    return way


def _dry(collect: Command) -> Command:
    """What `registry garbage-collect` itself understands; a script, or the line of a shell, may not hear it."""
    if _COLLECT not in collect.argv:
        raise ValueError(f"{_COLLECT} is no word of the command {collect}: say the one with {_DRY} too, as dry-run")
    return Command((*collect.argv, _DRY), collect.seconds)


def _check(collect: Command, dry_run: Command) -> None:
    """What deletes is never run for what does not. Raises ValueError."""
    if _DRY not in str(dry_run):
        raise ValueError(f"dry-run is without {_DRY}")
    if _DRY in str(collect):
        raise ValueError(f"{_COLLECT} is written without {_DRY}: Berth adds it where it wants that")


def _refuse_untagged(command: Command) -> None:
    """On 2.8 it deletes the images of every index. Raises ValueError."""
    words = _said(command)
    after = words[words.index(_COLLECT) + 1 :] if _COLLECT in words else []
    if any("--delete-untagged" in word for word in words) or any(_UNTAGGED.match(word) for word in after):
        raise ValueError("--delete-untagged (-m) deletes images of several platforms: Berth never runs it")


def _said(command: Command) -> list[str]:
    """Its words, those of a shell's line too, without quotes."""
    return re.sub(r"[\"'\\;|&]", " ", str(command)).split()


def _commands(table: Mapping[str, Any], name: str, seconds: Mapping[str, float]) -> tuple[Command, ...]:
    lines = table.get(name)
    if not isinstance(lines, list) or not lines or not all(isinstance(line, list) for line in lines):
        raise ValueError(f'{name} is a list of commands, each a list of words: [["docker", "restart", "registry"]]')
    return tuple(Command(_words(name, line), seconds[name]) for line in lines)


def _command(table: Mapping[str, Any], name: str, seconds: float) -> Command:
    return Command(_words(name, table.get(name)), seconds)


def _words(name: str, line: object) -> tuple[str, ...]:
    if not isinstance(line, list) or not line or not all(isinstance(w, str) and "\0" not in w for w in line):
        raise ValueError(f"a command of {name} is a list of words")
    if not line[0]:
        raise ValueError(f"a command of {name} names no program")
    return tuple(line)


def _seconds(table: object) -> dict[str, float]:
    if not isinstance(table, dict) or (table.keys() - _SECONDS.keys()):
        raise ValueError(f"seconds may say: {', '.join(_SECONDS)}")
    for name, value in table.items():
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= _MOST:
            raise ValueError(f"seconds of {name} are no number from 1 to {_MOST}")
    return {**_SECONDS, **table}


def _variables(table: object) -> dict[str, str]:
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise ValueError("environment is a table of texts")
    if any(not name or "=" in name or "\0" in name + value for name, value in table.items()):
        raise ValueError("environment holds what no environment can")
    return dict(table)


def _normal(address: str) -> str:
    return normal_address(address, plain_http=True)


def shown(commands: Iterable[Command]) -> list[list[str]]:
    """For a page: words of each."""
    return [list(command.argv) for command in commands]
