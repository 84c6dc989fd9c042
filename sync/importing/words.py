"""A rule in a few words, as what is imported is shown before it is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from jobs.schedule import Schedule, When
from oci.transfer.attached import ALL_KINDS
from oci.transfer.selection import Form
from sync.choosing import Choice, NewestBy
from sync.details import Details, Moved

_MOST: Final = 8  # of each kind
_LONGEST: Final = 120  # characters of one


def in_words(details: Details) -> list[str]:
    """All that is not as usual, and always which tags it takes and when it runs."""
    return [*_tags(details.choice, details.pins), *_platforms(details), *_rest(details), _when(details.schedule)]


def _tags(choice: Choice, pins: Sequence[str]) -> Iterator[str]:
    nothing_but_pins = pins and choice.deny == ("*",)
    if not nothing_but_pins:
        if choice.allow:
            yield _("tags %(patterns)s") % {"patterns": _listed(choice.allow)}
        elif choice.ranges:
            yield _("versions %(ranges)s") % {"ranges": _listed(choice.ranges)}
        else:
            yield _("all tags")
        if choice.allow and choice.ranges:
            yield _("of those, versions %(ranges)s") % {"ranges": _listed(choice.ranges)}
        if choice.deny:
            yield _("without %(patterns)s") % {"patterns": _listed(choice.deny)}
        if choice.ranges and choice.pre_releases:
            yield _("with pre-releases")
        if choice.newest is not None:
            yield _newest(choice.newest, choice.newest_by)
    if pins:
        yield _("pinned: %(pins)s") % {"pins": _listed(pins)}


def _newest(number: int, by: NewestBy) -> str:
    if by is NewestBy.TIME:
        return ngettext("the newest %(n)s by time", "the newest %(n)s by time", number) % {"n": number}
    return ngettext("the newest %(n)s by version", "the newest %(n)s by version", number) % {"n": number}


def _platforms(details: Details) -> Iterator[str]:
    selection = details.selection
    if not selection.platforms:
        return
    said = {"platforms": _listed(selection.platforms)}
    match selection.form:
        case Form.CHILD:
            yield _("only the image of %(platforms)s") % said
        case Form.SPARSE:
            yield _("only %(platforms)s, under the index as it is") % said
        case Form.REWRITTEN:
            yield _("only %(platforms)s, under an index of those") % said


def _rest(details: Details) -> Iterator[str]:
    if details.attached != ALL_KINDS:
        yield _("without what is attached") if not details.attached else _("with some of what is attached")
    match details.moved:
        case Moved.BACK_UP:
            yield _("what a tag pointed to is kept as %(backup)s") % {"backup": details.backup[:_LONGEST]}
        case Moved.LEAVE:
            yield _("a tag that points elsewhere is left alone")
        case Moved.OVERWRITE:
            pass
    if details.deletes_gone:
        yield _("tags that are gone there go here too")


def _when(schedule: Schedule) -> str:
    match schedule.when:
        case When.CRON:
            return _("when %(cron)s is due, in %(zone)s") % {"cron": schedule.cron, "zone": schedule.zone}
        case When.EVERY:
            said = ngettext("every %(n)s minute", "every %(n)s minutes", schedule.every)
            return said % {"n": schedule.every}
        case When.EVENT:
            return _("after a push")
        case When.BY_HAND:
            return _("by hand")


def _listed(texts: Sequence[str]) -> str:
    shown = [text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…" for text in texts[:_MOST]]
    if len(texts) > _MOST:
        shown.append(f"+{len(texts) - _MOST}")
    return ", ".join(shown)
