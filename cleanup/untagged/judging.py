"""Which manifests of a repository nothing reaches, and in which order they may go; pure, over what was found there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from django.utils.translation import gettext_noop

_UNREACHED: Final = gettext_noop("no tag, index, subject, trash entry or pin reaches it")
_PART: Final = gettext_noop("only indexes list it that go too, as %(digest)s")
_SUBJECT_GONE: Final = gettext_noop("its subject is gone: %(digest)s")
_SUBJECT_GOES: Final = gettext_noop("its subject goes too: %(digest)s")
SENTENCES: Final = (_UNREACHED, _PART, _SUBJECT_GONE, _SUBJECT_GOES)


class Found(NamedTuple):
    """A manifest that is in the repository.

    `lists`: what an index lists, here or not; `config`: digest of an image's config, "" for none; `since`: when it was
    pushed or lost its last tag, None where nobody knows; `unrecorded`: digests of its blobs, of one that the catalog
    does not know.
    """

    digest: str
    kind: str = ""
    size: int = 0
    lists: tuple[str, ...] = ()
    subject: str = ""
    config: str = ""
    since: datetime | None = None
    unrecorded: tuple[str, ...] = ()


class Stay(StrEnum):
    """Why a manifest stays, the strongest reason first."""

    TAGGED = "tagged"
    PINNED = "pinned"
    TRASH = "trash"  # an entry of the trash would be restored with it
    FRESH = "fresh"  # within the time of grace, or of an age that nobody knows
    PART = "part"  # an index lists it that stays
    ATTACHED = "attached"  # to what stays, or something that stays is attached to it
    TANGLED = "tangled"  # it refers to itself by others, which no honest content can


@dataclass(frozen=True, slots=True)
class Verdict:
    """`goes` in the order in which they may be deleted: at no moment does anything that is left lack a part."""

    stays: Mapping[str, Stay]
    goes: tuple[Found, ...]


def judge(
    found: Mapping[str, Found],
    tagged: Collection[str],
    pinned: Collection[str],
    trash: Collection[str],
    before: datetime,
) -> Verdict:
    """Of all the manifests of a repository, by digest; what came after `before` is fresh.

    What stays keeps all that it lists, what is attached to it, and what it is attached to; what is pinned keeps the
    indexes that list it, too.
    """
    above, attached = _above(found), _attached(found)
    reasons: list[tuple[Stay, Iterable[str]]] = [
        (Stay.TAGGED, tagged),
        (Stay.PINNED, _with_all_above(pinned, above)),
        (Stay.TRASH, trash),
        (Stay.FRESH, (one.digest for one in found.values() if one.since is None or one.since >= before)),
    ]
    stays: dict[str, Stay] = {}
    for why, digests in reasons:
        for digest in digests:
            if digest in found:
                stays.setdefault(digest, why)
    _keep_what_belongs(stays, found, attached)
    goes = in_order(found, found.keys() - stays.keys())
    going = {one.digest for one in goes}
    stays |= dict.fromkeys(found.keys() - stays.keys() - going, Stay.TANGLED)
    return Verdict(stays, goes)


def in_order(found: Mapping[str, Found], going: Collection[str]) -> tuple[Found, ...]:
    """Those of `going` that may go, each after all that refers to it; left out is what something else refers to.

    An index refers to what it lists, and whatever is attached to its subject.
    """
    going = {digest for digest in going if digest in found}
    refers = {one.digest: _refers(one, found) for one in found.values()}
    waiting: dict[str, int] = dict.fromkeys(going, 0)
    for listed in refers.values():
        for digest in listed & going:
            waiting[digest] += 1
    ready = sorted((digest for digest, count in waiting.items() if not count), reverse=True)
    ordered: list[Found] = []
    while ready:
        one = found[ready.pop()]
        ordered.append(one)
        freed = []
        for digest in refers[one.digest] & going:
            waiting[digest] -= 1
            if not waiting[digest]:
                freed.append(digest)
        ready += sorted(freed, reverse=True)
    return tuple(ordered)


def why_it_goes(one: Found, found: Mapping[str, Found], above: Mapping[str, Collection[str]]) -> str:
    """A sentence, for people."""
    if one.subject:
        return (_SUBJECT_GOES if one.subject in found else _SUBJECT_GONE) % {"digest": one.subject}
    if indexes := above.get(one.digest):
        return _PART % {"digest": min(indexes)}
    return _UNREACHED


def reasons_to_go(verdict: Verdict, found: Mapping[str, Found]) -> Iterator[tuple[Found, str]]:
    """All that goes, in order, each with its sentence."""
    above = _above(found)
    for one in verdict.goes:
        yield one, why_it_goes(one, found, above)


def _refers(one: Found, found: Mapping[str, Found]) -> set[str]:
    return {digest for digest in (*one.lists, one.subject) if digest in found}


def _above(found: Mapping[str, Found]) -> dict[str, set[str]]:
    above: dict[str, set[str]] = {}
    for one in found.values():
        for digest in one.lists:
            above.setdefault(digest, set()).add(one.digest)
    return above


def _attached(found: Mapping[str, Found]) -> dict[str, set[str]]:
    attached: dict[str, set[str]] = {}
    for one in found.values():
        if one.subject:
            attached.setdefault(one.subject, set()).add(one.digest)
    return attached


def _with_all_above(digests: Collection[str], above: Mapping[str, Collection[str]]) -> set[str]:
    reached, todo = set(digests), list(digests)
    while todo:
        fresh = set(above.get(todo.pop(), ())) - reached
        reached |= fresh
        todo += fresh
    return reached


def _keep_what_belongs(stays: dict[str, Stay], found: Mapping[str, Found], attached: Mapping[str, set[str]]) -> None:
    todo = list(stays)
    while todo:
        one = found[todo.pop()]
        belongs = [(Stay.PART, one.lists), (Stay.ATTACHED, (one.subject, *sorted(attached.get(one.digest, ()))))]
        for why, digests in belongs:
            for digest in digests:
                if digest in found and digest not in stays:
                    stays[digest] = why
                    todo.append(digest)
