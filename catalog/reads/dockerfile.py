"""The history of an image as the Dockerfile that it may have come from: told back, never the original.

What is not told there: the base, earlier stages, build arguments, mounts, and what COPY and ADD took. Builders write a
step as Go prints it, so lists have no commas and a health check is a struct.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext

from catalog.reads.instructions import instructions_of, words_of
from oci.config import HistoryStep

_QUOTED: Final = re.compile(r'"([^"]*)"')
_PORTS: Final = re.compile(r"map\[([^\[\]]*)\]")
_PORT: Final = re.compile(r"([^\s:{}]+):\{\}")
_HEALTH: Final = re.compile(r"&\{(\[.*\])((?: \"[0-9a-zµ.]*\")+) '(?:\\x([0-9a-f]{2})|.*)'\}", re.DOTALL)
_SOURCE_BY_HASH: Final = re.compile(r"((?:file|dir|multi):\S+) in (.*)", re.DOTALL)
_PAIR: Final = re.compile(r"([^\s=\"']+)=(.*)", re.DOTALL)
_ANOTHER_PAIR: Final = re.compile(r"\s[A-Za-z_][\w.-]*=")
_LONGEST: Final = 4_000  # characters of an instruction that is rewritten: no pattern here takes longer than an instant
_TIMES: Final = ("--interval=", "--timeout=", "--start-period=", "--start-interval=")


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines; `layer` is the number of the layer that they left, None for what left none."""

    text: str
    layer: int | None = None


def dockerfile_of(history: Sequence[HistoryStep], of: str, base: str = "") -> list[Piece]:
    """The pieces in their order, each one or more lines; all that is no instruction is a comment.

    `of` says of which image, `base` is what the image itself says of its base, if it does.
    """
    return [Piece(_head(of, base)), *_steps(history)]


def text_of(pieces: Sequence[Piece]) -> str:
    return "\n".join(piece.text for piece in pieces) + "\n"


def _head(of: str, base: str) -> str:
    lines = [
        gettext("Told back from the history of %(image)s by Berth. It is not the file that built it."),
        gettext("Not known: earlier stages, build arguments, mounts, quotes, and what COPY and ADD took."),
        gettext("Steps of the base image, if it had one, come first."),
    ]
    head = "\n".join(_comment(line) for line in (lines[0] % {"image": of}, *lines[1:]))
    if base:
        said = gettext("FROM %(base)s, says the image itself") % {"base": base}
        return f"{head}\n\n{_comment(said)}"
    unknown = gettext("FROM a base that is not known")
    return f"{head}\n\n{_comment(unknown)}"


def _steps(history: Sequence[HistoryStep]) -> Iterator[Piece]:
    layer = 0
    for step, (instruction, rest) in zip(history, instructions_of(history), strict=True):
        layer += not step.empty_layer
        text = _instruction(instruction, rest) if instruction else _foreign(rest)
        if step.comment and not step.comment.startswith("buildkit."):
            text = f"{_comment(step.comment)}\n{text}"
        yield Piece(text, None if step.empty_layer else layer)


def _comment(text: str) -> str:
    """One line, whatever counts as the end of one in `text`."""
    return f"# {' '.join(text.split())}"


def _foreign(rest: str) -> str:
    if not rest.strip():
        return _comment(gettext("a step without a command"))
    return _comment(gettext("a step of another tool: %(command)s") % {"command": rest})


def _instruction(name: str, rest: str) -> str:
    if name == "RUN":
        return _run(rest)
    written = _WRITERS.get(name, str.strip)(rest) if len(rest) <= _LONGEST else rest.strip()
    return f"{name} {' '.join(written.split()) if _breaks(written) else written}".rstrip()


def _breaks(text: str) -> bool:
    return len(text.splitlines()) > 1


def _run(rest: str) -> str:
    """A command of several lines stands in a here-document, unless it brings its own or goes on by backslashes."""
    lines = rest.strip("\n").splitlines()
    if len(lines) < 2 or "<<" in rest or all(line.rstrip().endswith("\\") for line in lines[:-1]):  # noqa: PLR2004
        return f"RUN {rest.strip()}".rstrip()
    end, taken = "EOF", set(lines)
    while end in taken:
        end += "_"
    return "\n".join([f"RUN <<{end}", *lines, end])


def _exec(rest: str) -> str:
    words = words_of(rest)
    return json.dumps(words, ensure_ascii=False) if words else rest.strip()


def _expose(rest: str) -> str:
    if ports := _PORTS.fullmatch(rest.strip()):
        return " ".join(_PORT.findall(ports[1]))
    return " ".join(words_of(rest)) or rest.strip()


def _copy(rest: str) -> str:
    """The classic builder names its sources by their hash."""
    by_hash = _SOURCE_BY_HASH.fullmatch(rest.strip())
    return f"{by_hash[1]} {by_hash[2]}".strip() if by_hash else rest.strip()


def _pairs(rest: str) -> str:
    """One pair whose value has a space gets its quotes back; of several nobody knows where each ends."""
    pair = _PAIR.fullmatch(rest.strip())
    if not pair or not re.search(r"\s", pair[2]) or '"' in pair[2] or _ANOTHER_PAIR.search(pair[2]):
        return rest.strip()
    value = pair[2].replace("\\", "\\\\")
    return f'{pair[1]}="{value}"'


def _healthcheck(rest: str) -> str:
    struct = _HEALTH.fullmatch(rest.strip())
    words = words_of(struct[1]) if struct else []
    if not struct or not words:
        return rest.strip()
    if words[0] == "NONE":
        return "NONE"
    times = zip(_TIMES, _QUOTED.findall(struct[2]), strict=False)
    options = [f"{name}{value}" for name, value in times if value not in {"", "0s"}]
    retries = int(struct[3], 16) if struct[3] else 0
    options += [f"--retries={retries}"] if retries else []
    command = words[1] if words[0] == "CMD-SHELL" and len(words) > 1 else json.dumps(words[1:], ensure_ascii=False)
    return " ".join([*options, "CMD", command])


_WRITERS: Final[Mapping[str, Callable[[str], str]]] = {
    "ADD": _copy,
    "CMD": _exec,
    "COPY": _copy,
    "ENTRYPOINT": _exec,
    "ENV": _pairs,
    "EXPOSE": _expose,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _pairs,
    "SHELL": _exec,
    "VOLUME": _exec,
}
