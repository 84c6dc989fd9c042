"""What workers have written into the database in English, in the language of who reads it.

The database, the API and the logs have one language. Each sentence is marked for translation where it is written; here
the text is taken apart by it, translated and put together again. What no sentence fits is a stranger's text or an older
one's, and stays as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

from django.utils.translation import get_language, gettext

from catalog import folding, removal, scan, services
from catalog.arrivals import handling, meaning, streams, unexplained
from catalog.recording import repositories, settling
from catalog.scanning import api, below, choosing, configs, folder, listing, patience, shrinking, watched
from cleanup import pins, uploads
from cleanup.classic import closing, collecting, steps, ways
from cleanup.classic import running as classic_running
from cleanup.classic import services as classic_services
from cleanup.retention import carrying_out as retention_carrying_out
from cleanup.retention import in_words as retention_reasons
from cleanup.retention import running as retention_running
from cleanup.retention import services as retention
from cleanup.retention import trust
from cleanup.sweeping import caches, ground, keeping, left, putting_back, trial, unlinking
from cleanup.sweeping import ending as sweeping
from cleanup.sweeping import services as sweeps
from cleanup.sweeping import terms as sweep_terms
from cleanup.untagged import carrying_out as untagged_carrying_out
from cleanup.untagged import judging as untagged_judging
from cleanup.untagged import known as untagged_known
from cleanup.untagged import planning as untagged_planning
from cleanup.untagged import running as untagged_running
from cleanup.untagged import services as untagged_services
from cleanup.untagged import sources as untagged_sources
from cleanup.verifying import faults as check_faults
from cleanup.verifying import recording as check_recording
from cleanup.verifying import running as verifying
from cleanup.verifying import services as checks
from jobs import running
from jobs import services as jobs
from notices import delivery, mailing, webhook
from registries import presets
from sync import copying as sync_copying
from sync import faults, gone, judging, pausing, promoting
from sync import planning as sync_planning
from sync import running as sync_running
from sync import services as sync_services
from sync import sources as sync_sources
from tagging import (
    at_work,
    carrying_out,
    copying,
    course,
    deleting,
    discarding,
    manifests,
    means,
    permission,
    planning,
    planning_copies,
    planning_restores,
    pointing,
    protection,
    removing,
    restoring,
    rules,
    undoing,
    untagging,
)
from tagging import services as tagging
from web import oci_sentences

_MODULES: Final = (
    running, jobs, services, removal, folding, scan, choosing, shrinking, watched, listing, api, folder, patience,
    below, configs, repositories, settling, carrying_out, at_work, course, tagging, untagging, discarding, deleting,
    manifests, removing, restoring, copying, pointing, protection, means, permission, planning, planning_restores,
    planning_copies, rules, undoing, handling, meaning, streams, unexplained, delivery, mailing, webhook,
    presets, oci_sentences, sync_copying, faults, gone, judging, pausing, sync_planning, promoting, sync_running,
    sync_services, sync_sources, caches, ground, keeping, left, putting_back, trial, unlinking, sweeping, sweeps,
    sweep_terms, uploads, check_faults, check_recording, verifying, checks, pins, untagged_carrying_out,
    untagged_judging, untagged_known, untagged_planning, untagged_running, untagged_services, untagged_sources,
    closing, collecting, steps, ways, classic_running, classic_services,
    retention, retention_running, retention_carrying_out, retention_reasons, trust,
)  # fmt: skip
SENTENCES: Final[tuple[str, ...]] = tuple(dict.fromkeys(chain.from_iterable(m.SENTENCES for m in _MODULES)))
KINDS: Final = frozenset(oci_sentences.KINDS)

_LONGEST: Final = 2_000  # characters; no sentence of ours comes near
_DEPTH: Final = 4  # sentences in sentences
_PLACE: Final = re.compile(r"%\((\w+)\)s")
_ANY: Final = ".+?"
# Places that hold no blank, each with what they do hold; without giving back, so that no text takes long to refuse.
_SHAPES: Final = {
    "n": r"[0-9]++(?:,[0-9]++)*+",
    "code": r"[A-Z_]++",
    "digest": r"\S++",
    "field": r"\S++",
    "value": r"\S++",
    "platform": r"(?:[^\s/:]++/\S++|sha(?:256|512):[0-9a-f]++)",
}
_MAY_BE_OURS: Final = frozenset({"failure", "problem", "why", "lacks", "job"})
_MUST_BE_OURS: Final = frozenset({"lack", "cause", "document", "pem", "kind"})  # or too much would fit


class _Sentence(NamedTuple):
    msgid: str
    pattern: re.Pattern[str]
    marks: str  # its longest run of own letters
    rank: tuple[bool, int]  # the most particular first

    def groups(self, text: str) -> dict[str, str] | None:
        match = self.pattern.match(text) if self.marks in text else None
        return match.groupdict() if match else None


def said(text: str) -> str:
    """`text` in the active language, where it is a sentence of ours, or several with `;` between; else unchanged."""
    language = get_language() or "en"
    if language.partition("-")[0] == "en" or len(text) > _LONGEST:
        return text
    return _translated(text, language)


@lru_cache(maxsize=512)
def _translated(text: str, _language: str) -> str:
    found = _found(text, _DEPTH)
    return text if found is None else found


def _found(text: str, depth: int) -> str | None:
    """The translation; None where no sentence is known."""
    if not text or not depth:
        return None
    parts = text.split("; ", 9)
    if len(parts) > 1:
        told = [_found_one(part, depth) for part in parts]
        known = [part for part in told if part is not None]
        if len(known) == len(told):
            return "; ".join(known)
    return _found_one(text, depth)


def _found_one(text: str, depth: int) -> str | None:
    if text in _PLAIN:
        return gettext(text)
    for sentence in _WITH_PLACES:
        groups = sentence.groups(text)
        places = _places(groups, depth - 1) if groups else None
        if places:
            return gettext(sentence.msgid) % places
    return None


def _places(groups: dict[str, str], depth: int) -> dict[str, str] | None:
    """What stands in the places, translated where it is ours; None where it has to be, and is not."""
    places = dict(groups)
    for name, text in groups.items():
        if name == "kind" and text in KINDS:
            places[name] = gettext(text)
        elif name in _MUST_BE_OURS | _MAY_BE_OURS:
            ours = _found(text, depth) if name != "kind" else None
            if ours is None and name in _MUST_BE_OURS:
                return None
            places[name] = ours or text
    return places


def _compiled(msgid: str) -> _Sentence:
    """Each place that may hold anything ends at the first text that fits after it: no text is gone through twice."""
    own, names = _PLACE.split(msgid)[::2], _PLACE.findall(msgid)
    pattern, is_open = re.escape(own[0]), False
    for name, after in zip(names, own[1:], strict=True):
        shape = _SHAPES.get(name, _ANY)
        if shape == _ANY:
            pattern += ")" * is_open + "(?>"
            is_open = True
        pattern += f"(?P<{name}>{shape}){re.escape(after)}"
    pattern += r"\Z" + ")" * is_open
    begins_open = bool(not own[0] and names and names[0] not in _SHAPES)
    rank = begins_open, -sum(map(len, own))
    return _Sentence(msgid, re.compile(pattern, re.DOTALL), max(own, key=len), rank)


_PLAIN: Final = frozenset(msgid for msgid in SENTENCES if not _PLACE.search(msgid))
_WITH_PLACES: Final = sorted(
    (_compiled(msgid) for msgid in SENTENCES if msgid not in _PLAIN), key=lambda sentence: sentence.rank
)
