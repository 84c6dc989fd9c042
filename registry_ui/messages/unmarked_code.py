"""Sentences in Python that reach people and that nothing marks for translation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from registry_ui.messages.known_words import UNTRANSLATED

# These arguments and attributes of forms and models are shown wherever they stand.
_SHOWN: Final = frozenset({"label", "help_text", "empty_label", "verbose_name", "verbose_name_plural"})
_SAID: Final = frozenset({"success", "error", "info", "warning", "add_message"})  # of django.contrib.messages
_TOLD: Final = frozenset({"Finding", "ValidationError", "add_error"})
_GETTEXT: Final = re.compile(r"_|(n|p|np)?gettext(_lazy|_noop)?")
_SENTENCE: Final = re.compile(r"[A-Z“][^\W\d_]*(?:[ ,:\u2019-]+[\w“”%().,:;\u2019/-]+)+[.?!:…”]")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")


def unmarked(source: str, *, for_people: bool) -> Iterator[str]:
    """What a module says to people without asking for their language, and what it asks for in vain.

    In a module that is `for_people` alone any sentence counts, but for those of exceptions, logs and docstrings.
    """
    for node in _spoken(ast.parse(source)):
        yield from _in_node(node)
        if for_people and (words := _text(node)) and _SENTENCE.fullmatch(words):
            yield words


def _spoken(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those below a call of gettext, a docstring, an exception or a log line."""
    yield node
    for child in ast.iter_child_nodes(node):
        is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if is_docstring or isinstance(child, ast.Raise | ast.Assert) or _is_gettext(child) or _is_log(child):
            if _is_gettext(child):
                yield child
            continue
        yield from _spoken(child)


def _in_node(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ClassDef) and any(_name(base).endswith("Choices") for base in node.bases):
        yield from _of_choices(node)
    if isinstance(node, ast.JoinedStr):  # not every Python tells what stands inside of one
        yield from (ast.unparse(part) for part in ast.walk(node) if _is_gettext(part))
    if not isinstance(node, ast.Call):
        return
    if _is_gettext(node):  # what is put together before it is looked up is never found
        yield from (
            ast.unparse(argument) for argument in node.args[:2] if isinstance(argument, ast.JoinedStr | ast.BinOp)
        )
        return
    shown = [keyword.value for keyword in node.keywords if keyword.arg in _SHOWN]
    if _is_message(node):
        shown += node.args
    if _name(node.func) in _TOLD:
        shown += [argument for argument in node.args if " " in _text(argument)]
    yield from (words for value in shown if _WORD.search(words := _text(value)) and words not in UNTRANSLATED)


def _of_choices(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        match statement:
            case ast.Assign(value=ast.Tuple(elts=[_, label])) if _WORD.search(_text(label)):
                yield _text(label)


def _is_gettext(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _GETTEXT.fullmatch(_name(node.func)) is not None


def _is_message(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr in _SAID and _name(node.func.value) == "messages"


def _is_log(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and _name(node.func.value) in {"log", "logger"}
    )


def _name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _text(node: ast.AST) -> str:
    """A string as it stands there, with `…` for what is put into it; nothing for what is no string."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) if isinstance(part, ast.Constant) else "…" for part in parts)
    return ""
