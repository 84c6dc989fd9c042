"""The verbs of rules: keep one as a person says it, switch it, remove it. Nothing unchecked is written."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.models import Entry
from audit.services import record
from jobs.schedule import InvalidSchedule, When
from oci.errors import InvalidName
from oci.names import parse_repository, parse_tag
from oci.transfer.selection import Form
from registries.models import NAME_PATTERN, Registry
from registries.patterns import PATTERN, matches
from sync.changes import NO, YES, changes
from sync.choosing import InvalidPattern
from sync.details import Details
from sync.models import Rule
from sync.models.rules import NAME_LENGTH
from sync.naming import InvalidTemplate, backup_of, into, pin_of
from sync.ranges import InvalidRange
from sync.terms import Terms
from tagging.permission import check_may_act, check_may_administer

if TYPE_CHECKING:
    from access.models import User

MOST: Final = 500  # repositories and pins of one rule
_PLATFORM: Final = re.compile(r"[a-z0-9]{1,32}/[a-z0-9_]{1,32}(?:/[a-z0-9.]{1,16})?")
_SLOWEST: Final = 1_000  # bytes a second
RESERVED_NAMES: Final = frozenset({"add", "import", "sources"})  # addresses of other pages
_SCHEDULE: Final = {
    "cron": gettext_lazy("A cron line has five fields, as in 30 4 * * 1-5, and is due every five minutes at most."),
    "every": gettext_lazy("Every five minutes at most, and once a year at least."),
    "zone": gettext_lazy("This machine knows no such time zone."),
    "window": gettext_lazy("Hours are written as in 22:00-06:00."),
}


class RuleNotSaved(Exception):  # noqa: N818  it says what did not happen
    """A rule cannot be kept like that; the sentence says why, `field` which part of `Details` is meant."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def check(details: Details) -> tuple[Registry, Registry]:
    """The source and the target. Raises RuleNotSaved."""
    _check_name(details.name)
    source = Registry.objects.connected().filter(name=details.source).first()
    target = Registry.objects.active().filter(name=details.target).first()
    if source is None:
        raise RuleNotSaved("source", _("Berth knows no registry of that name."))
    if target is None:
        raise RuleNotSaved("target", _("Berth has no catalog of a registry of that name."))
    _check_terms(details, is_same=source.pk == target.pk)
    return source, target


def check_said(details: Details) -> None:
    """All but whether its registries are there. Raises RuleNotSaved."""
    _check_name(details.name)
    _check_terms(details, is_same=details.source == details.target)


def save(details: Details, person: User | None, rule: Rule | None = None) -> Rule:
    """A new rule, or `rule` as it is said now; `person` is None on the command line of Berth.

    Raises NotPermitted and RuleNotSaved.
    """
    source, target = check(details)
    if person:
        check_may_act(person, target)
    row = rule or Rule(created_by=str(person or ""))
    before = rule.details if rule else None
    row.name, row.source, row.target, row.is_on = details.name, source, target, details.is_on
    row.terms = Terms.of(details).written()
    row.next_at = _due(details, timezone.now())
    if before is None or before.schedule.when is not When.EVENT or before.source != details.source:
        # What was pushed before is nothing new.
        row.heard = row.heard_next = Entry.objects.aggregate(last=Max("pk"))["last"] or 0
    try:
        with transaction.atomic():
            row.save()
            changed = changes(before, details) if before else []
            act = Entry.Act.RULE_CHANGE if rule else Entry.Act.RULE_ADD
            if changed or not rule:
                record([_entry(row, person, act, ", ".join(changed))])
    except IntegrityError as error:
        raise RuleNotSaved("name", _("Another rule has that name.")) from error
    return row


def switch(rule: Rule, person: User | None, *, on: bool) -> None:
    """Off also where it cannot be read. Raises NotPermitted, InvalidTerms and RuleNotSaved."""
    if person is not None and on:
        check_may_act(person, rule.target)
    elif person is not None:  # also where the target was removed meanwhile
        check_may_administer(person)
    with transaction.atomic():
        was_on, rule.is_on = rule.is_on, on
        with _of_schedule():
            rule.next_at = _due(rule.details, timezone.now()) if on else None
        rule.save(update_fields=["is_on", "next_at"])
        if was_on != on:
            told = f"is_on: {NO} → {YES}" if on else f"is_on: {YES} → {NO}"
            record([_entry(rule, person, Entry.Act.RULE_CHANGE, told)])


def remove(rule: Rule, person: User | None) -> None:
    """What it copied stays, and its runs too; also where its target was removed from Berth. Raises NotPermitted."""
    if person is not None:
        check_may_administer(person)
    with transaction.atomic():
        record([_entry(rule, person, Entry.Act.RULE_REMOVE)])
        rule.delete()


def _check_name(name: str) -> None:
    if not re.fullmatch(NAME_PATTERN, name) or len(name) > NAME_LENGTH or name in RESERVED_NAMES:
        raise RuleNotSaved("name", _("A name is made of small letters, digits and single hyphens."))


def _check_terms(details: Details, *, is_same: bool) -> None:
    _check_repositories(details, is_same=is_same)
    _check_choice(details)
    _check_selection(details)
    with _of_schedule():
        details.schedule.check()
    if details.bytes_per_second is not None and details.bytes_per_second < _SLOWEST:
        raise RuleNotSaved("bytes_per_second", _("Below a kilobyte a second nothing would ever end."))


def _due(details: Details, now: datetime) -> datetime | None:
    return details.schedule.next_after(now) if details.is_on else None


def _check_repositories(details: Details, *, is_same: bool) -> None:
    names = details.repositories
    if not names or len(names) > MOST:
        raise RuleNotSaved("repositories", _("Name one repository at least, and five hundred at most."))
    for name in names:
        is_pattern = "*" in name or "?" in name
        try:
            example = parse_repository("library/example" if is_pattern else name)
        except InvalidName as error:
            raise RuleNotSaved(
                "repositories", _("%(name)s is no name of a repository.") % {"name": name[:255]}
            ) from error
        if is_pattern and not re.fullmatch(PATTERN, name):
            raise RuleNotSaved("repositories", _("%(name)s is no pattern.") % {"name": name[:255]})
        try:
            made = into(details.into, example, details.source)
        except InvalidTemplate as error:
            sentence = _("It makes %(name)s, which is no name of a repository.") % {"name": error.text}
            raise RuleNotSaved("into", sentence) from error
        if is_same and (made == example or (is_pattern and matches(name, made))):
            raise RuleNotSaved("into", _("That would copy a repository into itself."))


def _check_choice(details: Details) -> None:
    try:
        details.choice.check()
    except InvalidPattern as error:
        raise RuleNotSaved("choice", _("%(text)s is no pattern for tags.") % {"text": error.text}) from error
    except InvalidRange as error:
        raise RuleNotSaved("choice", _("%(text)s is no range of versions.") % {"text": error.text}) from error
    if details.choice.newest is not None and details.choice.newest < 1:
        raise RuleNotSaved("choice", _("Keep one at least of the newest."))
    if len(details.pins) > MOST:
        raise RuleNotSaved("pins", _("A rule has five hundred pins at most."))
    for pin in details.pins:
        try:
            pin_of(pin)
        except InvalidName as error:
            sentence = _("%(text)s is no pin: it is a digest, or a tag, an @ and a digest.") % {"text": pin[:300]}
            raise RuleNotSaved("pins", sentence) from error


def _check_selection(details: Details) -> None:
    selection = details.selection
    for platform in selection.platforms:
        if not _PLATFORM.fullmatch(platform):
            raise RuleNotSaved("platforms", _("%(text)s is no platform, as linux/arm64 is.") % {"text": platform[:100]})
    if selection.form is Form.CHILD and len(selection.platforms) != 1:
        raise RuleNotSaved("form", _("The image of one platform alone can stand under a tag: name just one."))
    try:
        if "{tag}" not in details.backup or backup_of(details.backup, parse_tag("1.0"), timezone.now()) == "1.0":
            raise RuleNotSaved("backup", _("It has to hold {tag}, and something beside it."))
    except InvalidTemplate as error:
        raise RuleNotSaved("backup", _("It makes %(name)s, which is no tag.") % {"name": error.text}) from error


@contextmanager
def _of_schedule() -> Iterator[None]:
    try:
        yield
    except InvalidSchedule as error:
        raise RuleNotSaved(error.field, str(_SCHEDULE[error.field])) from error


def _entry(rule: Rule, person: User | None, act: Entry.Act, detail: str = "") -> Entry:
    return Entry(
        key=f"rule:{uuid.uuid4().hex}",
        act=act,
        outcome=Entry.Outcome.DONE,
        actor=str(person or ""),
        actor_id=person.pk if person else None,
        registry=rule.target.name,
        registry_id=rule.target_id,
        why=rule.name,
        detail=detail,
    )
