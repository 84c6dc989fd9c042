"""A YAML document as fields that know their place in it, bounded before anything is made of it. Pure.

Of PyYAML only the events of the safe parser are used: no values are built, so that a tag written as 1.10 stays 1.10,
and nothing here goes as deep as somebody may have nested it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

import yaml

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # built without libyaml: the same, slower
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

LARGEST: Final = 2**20  # bytes
MOST: Final = 50_000  # values, each counted as often as aliases repeat it
DEEPEST: Final = 20

_LONGEST_PLACE: Final = 200  # characters
_TAGS: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq"))
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_FLAGS: Final = dict.fromkeys(("true", "yes", "on", "y"), True) | dict.fromkeys(("false", "no", "off", "n"), False)
_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)
_MERGE: Final = "<<"


class Expected(StrEnum):
    """What should have stood there: what a page makes a sentence of."""

    SMALLER = "smaller"  # too many bytes, or values, or too deep
    YAML = "yaml"
    ONE_DOCUMENT = "one-document"
    MAPPING = "mapping"
    LIST = "list"
    TEXT = "text"
    FLAG = "flag"
    NUMBER = "number"
    DURATION = "duration"
    NAME = "name"  # of a registry, a repository, a tag or a digest
    PLATFORM = "platform"
    ADDRESS = "address"
    ONE_KEY = "one-key"  # it stands there twice
    VERSION = "version"  # of the format, which is a newer one
    TYPE = "type"  # of an entry: "image", "repository" or "registry"


class NotImported(ValueError):  # noqa: N818  it says what did not happen
    """Nothing is imported: `line`, from 1, has at `where` not what was expected. What stands there may be a secret."""

    def __init__(self, expected: Expected, line: int = 1, where: str = "") -> None:
        super().__init__(f"line {line}, {where or 'document'}: expected {expected}")
        self.expected, self.line, self.where = expected, line, where


@dataclass(frozen=True, slots=True)
class _Scalar:
    line: int
    text: str
    is_plain: bool  # without quotes, so that it may be null
    size: int = 1


@dataclass(slots=True)
class _Collection:
    """Keys and values of a mapping follow each other."""

    line: int
    is_mapping: bool
    children: list[_Node] = field(default_factory=list)
    size: int = 1
    is_closed: bool = False


_Node: TypeAlias = _Scalar | _Collection


@dataclass(frozen=True, slots=True)
class Field:
    """One value, `where` as a person would write its place: "sync[0].tags.allow[1]"."""

    where: str
    _node: _Node = field(repr=False)

    @property
    def line(self) -> int:
        return self._node.line

    @property
    def is_null(self) -> bool:
        return isinstance(self._node, _Scalar) and self._node.is_plain and self._node.text in _NULLS

    def mapping(self) -> Mapping[str, Field]:
        """Without keys that have no value, and with those that it merges in (YAML 1.1, "Merge Key")."""
        return {key: value for key, value in self.whole_mapping().items() if not value.is_null}

    def whole_mapping(self) -> Mapping[str, Field]:
        """With keys that have no value: where the key alone says something."""
        if self.is_null:
            return {}
        found: dict[str, Field] = {}
        merged: dict[str, Field] = {}
        for key, value in self._pairs():
            if key == _MERGE:
                for one in value.items() if value.is_list else (value,):
                    merged = {**one.whole_mapping(), **merged}
            elif key in found:
                raise value.wrong(Expected.ONE_KEY)
            else:
                found[key] = value
        return {**merged, **found}

    def items(self) -> Sequence[Field]:
        if self.is_null:
            return ()
        if not self.is_list or isinstance(self._node, _Scalar):
            raise self.wrong(Expected.LIST)
        return [Field(_clipped(f"{self.where}[{place}]"), node) for place, node in enumerate(self._node.children)]

    @property
    def is_list(self) -> bool:
        return isinstance(self._node, _Collection) and not self._node.is_mapping

    def text(self) -> str:
        if isinstance(self._node, _Collection) or self.is_null:
            raise self.wrong(Expected.TEXT)
        return self._node.text

    def flag(self) -> bool:
        text = self.text().lower() if isinstance(self._node, _Scalar) else ""
        if text not in _FLAGS:
            raise self.wrong(Expected.FLAG)
        return _FLAGS[text]

    def number(self) -> float:
        text = self.text() if isinstance(self._node, _Scalar) else ""
        if not _NUMBER.fullmatch(text):
            raise self.wrong(Expected.NUMBER)
        return float(text)

    def wrong(self, expected: Expected) -> NotImported:
        return NotImported(expected, self.line, self.where)

    def _pairs(self) -> Iterator[tuple[str, Field]]:
        if not isinstance(self._node, _Collection) or not self._node.is_mapping:
            raise self.wrong(Expected.MAPPING)
        children = iter(self._node.children)
        for key, value in zip(children, children, strict=True):
            if not isinstance(key, _Scalar):
                raise NotImported(Expected.TEXT, key.line, self.where)
            yield key.text, Field(_clipped(f"{self.where}.{key.text}" if self.where else key.text), value)


def parse_document(text: str) -> Field:
    """Raises NotImported."""
    if len(text) > LARGEST or len(text.encode(errors="surrogatepass")) > LARGEST:
        raise NotImported(Expected.SMALLER)
    try:
        return Field("", _composed(yaml.parse(text, _Loader)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotImported(Expected.YAML, mark.line + 1 if mark else 1) from None  # which would repeat what stands there
    except (yaml.YAMLError, UnicodeError):
        raise NotImported(Expected.YAML) from None


def _composed(events: Iterator[yaml.Event]) -> _Node:
    root = _Collection(1, is_mapping=False)
    still_open = [root]
    anchors: dict[str, _Node] = {}
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent) and root.children:
            raise NotImported(Expected.ONE_DOCUMENT, line)
        if isinstance(event, yaml.CollectionEndEvent):
            closed = still_open.pop()
            closed.is_closed = True
            _add(still_open[-1], closed.size, line)
        elif (node := _node_of(event, anchors, line)) is not None:
            still_open[-1].children.append(node)
            if isinstance(node, _Scalar) or node.is_closed:
                _add(still_open[-1], node.size, line)
            else:
                still_open.append(node)
            if len(still_open) > DEEPEST:
                raise NotImported(Expected.SMALLER, line)
    return root.children[0] if root.children else _Scalar(1, "", is_plain=True)


def _node_of(event: yaml.Event, anchors: dict[str, _Node], line: int) -> _Node | None:
    """None of an event that begins no value."""
    node: _Node
    match event:
        case yaml.AliasEvent():
            known = anchors.get(event.anchor or "")
            if known is None or (isinstance(known, _Collection) and not known.is_closed):  # it would hold itself
                raise NotImported(Expected.YAML, line)
            return known
        case yaml.ScalarEvent():
            node = _Scalar(line, event.value, is_plain=not event.style)
        case yaml.CollectionStartEvent():
            node = _Collection(line, is_mapping=isinstance(event, yaml.MappingStartEvent))
        case _:
            return None
    if event.tag is not None and event.tag not in _TAGS:
        raise NotImported(Expected.YAML, line)
    if event.anchor is not None:
        anchors[event.anchor] = node
    return node


def _add(parent: _Collection, size: int, line: int) -> None:
    parent.size += size
    if parent.size > MOST:
        raise NotImported(Expected.SMALLER, line)


def _clipped(place: str) -> str:
    return place if len(place) <= _LONGEST_PLACE else f"{place[: _LONGEST_PLACE - 1]}…"
