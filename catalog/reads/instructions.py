"""What the steps of a history did: the instruction of each, without what builders wrap around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from oci.config import HistoryStep

_INSTRUCTION: Final = re.compile(
    r"(ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER"
    r"|VOLUME|WORKDIR) "
)
_NO_OPERATION: Final = re.compile(r"/bin/sh -c #\(nop\) +")
_ARGUMENTS: Final = re.compile(r"\|[0-9]{1,4} ")  # how many build arguments stand before the command
_SHELLS: Final = ("/bin/sh -c", "/bin/sh -ec", "cmd /S /C")
_BUILDKIT: Final = re.compile(r" # buildkit\Z")
_GO_WORD: Final = re.compile(r'"((?:[^"\\]|\\.)*+)"')
_GO_WORDS: Final = re.compile(r'\[(?:"(?:[^"\\]|\\.)*+" ?)*+\]')
_GO_LIST: Final = re.compile(r"\[([^\[\]\"]*)\]")
_LONGEST: Final = 4_000  # characters of a list that is read


def instructions_of(history: Iterable[HistoryStep]) -> Iterator[tuple[str, str]]:
    """Of each step the instruction, "" where there is none that is known, and the rest."""
    shell = ""
    for step in history:
        instruction, rest = _read(step.created_by, shell)
        if instruction == "SHELL":
            shell = " ".join(words_of(rest))
        yield instruction, rest


def words_of(rest: str) -> list[str]:
    """The words of a list, as JSON has it or as Go prints it."""
    rest = rest.strip()
    if len(rest) > _LONGEST:
        return []
    try:
        words = json.loads(rest)
    except (ValueError, RecursionError):
        if _GO_WORDS.fullmatch(rest):
            return [re.sub(r"\\(.)", r"\1", word) for word in _GO_WORD.findall(rest)]
        plain = _GO_LIST.fullmatch(rest)
        return plain[1].split() if plain else []
    return words if isinstance(words, list) and all(isinstance(word, str) for word in words) else []


def _read(created_by: str, shell: str) -> tuple[str, str]:
    """`shell` is the one that an earlier step has chosen, as one line."""
    line = _BUILDKIT.sub("", created_by)
    if nothing := _NO_OPERATION.match(line):
        line = line[nothing.end() :]
    elif (command := _command(line.removeprefix("RUN "), shell)) is not None:
        return "RUN", command
    instruction = _INSTRUCTION.match(line)
    return (instruction[1], line[instruction.end() :]) if instruction else ("", line)


def _command(line: str, shell: str) -> str | None:
    """What a shell was told to run; None where no shell is seen."""
    for said in (*_SHELLS, shell):
        if said and line.startswith(f"{said} "):
            return line[len(said) + 1 :]
        if said and _ARGUMENTS.match(line):
            _, found, command = line.partition(f" {said} ")
            if found:
                return command
    return None
