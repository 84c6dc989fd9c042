"""Rules in words: when they are due, which tags they take, and why a tag is in or out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext, gettext_lazy, ngettext

from jobs.schedule import Schedule, When
from oci.media_types import Kind
from oci.transfer.selection import Form, Selection
from sync.choosing import Choice, NewestBy, Why
from sync.details import Moved
from sync.models.runs import ATTACHED
from sync.terms import Terms

_DAY: Final = 24 * 60  # minutes
_HOUR: Final = 60
_DAILY: Final = re.compile(r"([0-9]{1,2}) ([0-9]{1,2}) \* \* \*", re.ASCII)
_NAMED: Final = 6  # patterns and platforms in one sentence
WHY: Final = {
    Why.ALL: gettext_lazy("every tag is taken"),
    Why.ALLOWED: gettext_lazy("fits a pattern"),
    Why.IN_RANGE: gettext_lazy("in the range"),
    Why.NEWEST: gettext_lazy("one of the newest"),
    Why.NOT_ALLOWED: gettext_lazy("fits no pattern"),
    Why.DENIED: gettext_lazy("fits a pattern that leaves tags out"),
    Why.NO_VERSION: gettext_lazy("no version"),
    Why.PRE_RELEASE: gettext_lazy("a pre-release"),
    Why.OUTSIDE: gettext_lazy("outside the range"),
    Why.NOT_NEWEST: gettext_lazy("not one of the newest"),
    Why.NO_DATE: gettext_lazy("its image says no date"),
    Why.TOOL: gettext_lazy("a tag of a tool: it comes along with its image"),
    "pinned": gettext_lazy("pinned to its digest"),
    ATTACHED: gettext_lazy("unchanged, but something was attached to it since"),
    "gone": gettext_lazy("gone upstream"),
}
MOVED: Final = {
    Moved.OVERWRITE: gettext_lazy("The tag here moves along."),
    Moved.BACK_UP: gettext_lazy("The tag here moves along, and what it pointed to stays under another tag."),
    Moved.LEAVE: gettext_lazy("The tag here is left alone."),
}
FORMS: Final = {
    Form.REWRITTEN: gettext_lazy("an index of these alone, with a digest of its own"),
    Form.CHILD: gettext_lazy("the one image itself, without an index"),
    Form.SPARSE: gettext_lazy("the index as it is, some of whose images are missing"),
}

OTHERS: Final[dict[Kind, Any]] = {
    "artifact": gettext_lazy("artifacts"),
    "chart": gettext_lazy("charts"),
    "image": gettext_lazy("images"),
}


class Fact(NamedTuple):
    """One part of a rule: what it is about, and what is said of it; `names` are those of a stranger."""

    name: str
    words: str
    names: tuple[str, ...] = ()


def why(code: str) -> str:
    """Why a tag is in or out; what an older Berth wrote as it is."""
    return str(WHY.get(code, code))


def schedule(due: Schedule) -> str:
    """When a rule is due, with its hours where it keeps to some."""
    words = _when(due)
    if due.window:
        words = gettext("%(when)s, within %(hours)s") % {"when": words, "hours": due.window}
    if due.window or due.when is When.CRON:
        words = gettext("%(when)s (%(zone)s)") % {"when": words, "zone": due.zone}
    return words


def facts(terms: Terms) -> list[Fact]:
    """What a rule says of tags, platforms and the rest, in the order of its form."""
    found = [Fact(gettext("Tags"), _tags(terms.choice), _patterns(terms.choice))]
    if terms.pins:
        count = len(terms.pins)
        words = ngettext("%(n)s image is pinned to its digest.", "%(n)s images are pinned to their digests.", count)
        found.append(Fact(gettext("Pins"), words % {"n": count}))
    found.append(Fact(gettext("Platforms"), _platforms(terms.selection), terms.selection.platforms))
    found.append(Fact(gettext("Attached"), _attached(terms)))
    found.append(Fact(gettext("Moved upstream"), str(MOVED[terms.moved])))
    gone = gettext("Deleted here too, into the trash.") if terms.deletes_gone else gettext("Stays here.")
    found.append(Fact(gettext("Gone upstream"), gone))
    return found


def _when(due: Schedule) -> str:
    match due.when:
        case When.EVERY:
            return _every(due.every)
        case When.CRON:
            daily = _DAILY.fullmatch(due.cron)
            if daily:
                at = f"{int(daily[2]):02}:{int(daily[1]):02}"
                return gettext("daily at %(time)s") % {"time": at}
            return gettext("by the clock: %(line)s") % {"line": due.cron}
        case When.EVENT:
            return gettext("after a push at the source")
        case _:
            return gettext("by hand")


def _every(minutes: int) -> str:
    if not minutes % _DAY:
        return ngettext("every day", "every %(n)s days", minutes // _DAY) % {"n": minutes // _DAY}
    if not minutes % _HOUR:
        return ngettext("every hour", "every %(n)s hours", minutes // _HOUR) % {"n": minutes // _HOUR}
    return ngettext("every minute", "every %(n)s minutes", minutes) % {"n": minutes}


def _tags(choice: Choice) -> str:
    parts = []
    if choice.allow:
        parts.append(gettext("Those that fit: %(patterns)s.") % {"patterns": _some(choice.allow)})
    elif not choice.ranges:
        parts.append(gettext("All of them."))
    if choice.ranges:
        parts.append(gettext("Versions in the range %(ranges)s.") % {"ranges": _some(choice.ranges)})
    if choice.deny:
        parts.append(gettext("Not those that fit: %(patterns)s.") % {"patterns": _some(choice.deny)})
    if choice.newest is not None and choice.newest_by is NewestBy.VERSION:
        newest = ngettext("Only the highest version.", "Only the %(n)s highest versions.", choice.newest)
        parts.append(newest % {"n": choice.newest})
    elif choice.newest is not None:
        newest = ngettext("Only the newest by time.", "Only the %(n)s newest by time.", choice.newest)
        parts.append(newest % {"n": choice.newest})
    if choice.pre_releases:
        parts.append(gettext("Pre-releases too."))
    return " ".join(parts)


def _patterns(choice: Choice) -> tuple[str, ...]:
    """Those that a sentence has no room for."""
    return tuple(text for group in (choice.allow, choice.ranges, choice.deny) for text in group[_NAMED:])


def _some(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:_NAMED]) + ("…" if len(shown) > _NAMED else "")


def _platforms(selection: Selection) -> str:
    if not selection.platforms:
        return gettext("All of them.")
    return gettext("Only some, as %(form)s:") % {"form": FORMS[selection.form]}


def _attached(terms: Terms) -> str:
    names = {
        "signature": gettext("signatures"),
        "attestation": gettext("attestations"),
        "sbom": gettext("SBOMs"),
    }
    shown = [name for kind, name in names.items() if kind in terms.attached]
    others = [str(name) for kind, name in OTHERS.items() if kind in terms.attached]
    shown += [gettext("other artifacts")] if len(others) == len(OTHERS) else others
    if not terms.selection.attestations:
        shown.append(gettext("but no provenance inside an index"))
    return gettext("Comes along: %(kinds)s.") % {"kinds": ", ".join(shown)} if shown else gettext("Stays behind.")
