"""The verbs: add a recipient, change it, give it another secret, switch it on and off, try it, tell it again."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography.x509 import load_pem_x509_certificates
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Entry
from audit.services import record
from notices import delivery
from notices.feeding import newest_entry
from notices.kinds import Kind
from notices.models import NAME_LENGTH, Notice, Subscription
from notices.payload import of_test
from notices.signing import new_secret
from notices.webhook import Told
from oci.errors import InvalidName, printable
from oci.urls import Url
from registries.models import Registry
from registries.patterns import PATTERN

if TYPE_CHECKING:
    from access.models import User

_ADDRESSES: Final = 10
_LONGEST: Final = 2_000  # characters of a target


class NotSaved(Exception):  # noqa: N818  it says what did not happen
    """A recipient cannot be kept like that; the sentence says why, `field` which detail is meant."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Details:
    """What a person may say of a recipient; the empty `target` keeps the stored one."""

    way: str
    name: str
    target: str = field(repr=False)
    wishes: tuple[str, ...]
    registry: Registry | None = None
    repositories: str = "*"
    ca: str = ""


def add(details: Details, person: User) -> Subscription:
    """Nothing that happened before is told to it. Raises NotSaved."""
    row = Subscription(way=details.way, created_by=str(person))
    if row.is_webhook:
        row.secret = new_secret()
    _set(row, details)
    row.after_entry, row.since = newest_entry(), timezone.now()
    with transaction.atomic():
        row.save(force_insert=True)
        record([_entry(row, person, Entry.Act.NOTICE_ADD)])
    return row


def change(row: Subscription, details: Details, person: User) -> None:
    """With another target it begins anew, without the failures of the old one. Raises NotSaved."""
    _set(row, details)
    fields = ["name", "wishes", "registry", "repositories", "ca"]
    if details.target:
        row.failures, row.failing_since, row.resume_at = 0, None, None
        fields += ["target", "failures", "failing_since", "resume_at"]
    with transaction.atomic():
        row.save(update_fields=fields)
        record([_entry(row, person, Entry.Act.NOTICE_CHANGE)])


def renew_secret(row: Subscription, person: User) -> str:
    """What is signed from now on is signed with this one."""
    row.secret = new_secret()
    with transaction.atomic():
        row.save(update_fields=["secret"])
        record([_entry(row, person, Entry.Act.NOTICE_CHANGE)])
    return row.secret


def switch(row: Subscription, person: User, *, on: bool) -> None:
    """What happened while it was off is not told; what waited by then still waits."""
    row.enabled, row.why_disabled = on, ""
    fields = ["enabled", "why_disabled"]
    if on:
        row.after_entry, row.since = newest_entry(), timezone.now()
        row.failures, row.failing_since, row.resume_at = 0, None, None
        fields += ["after_entry", "since", "failures", "failing_since", "resume_at"]
    with transaction.atomic():
        row.save(update_fields=fields)
        record([_entry(row, person, Entry.Act.NOTICE_CHANGE)])


def remove(row: Subscription, person: User) -> None:
    """With its log."""
    with transaction.atomic():
        record([_entry(row, person, Entry.Act.NOTICE_REMOVE)])
        row.delete()


def test(row: Subscription, person: User) -> Told:
    """Tell it at once that this is a test. That it fails is not held against it."""
    now = timezone.now()
    source = f"test-{secrets.token_hex(8)}"
    notice = Notice(subscription=row, source=source, payload=of_test(row.name, str(person), now), next_at=now)
    notice.save(force_insert=True)
    return _told(row, notice, once=True)


def tell_again(row: Subscription, notice: Notice) -> Told:
    """At once, whatever came of it before, with the id that it had. One that is tried anyway goes on being tried."""
    was_waiting = notice.state == Notice.State.WAITING
    notice.state, notice.next_at = Notice.State.WAITING, timezone.now()
    notice.save(update_fields=["state", "next_at"])
    return _told(row, notice, once=not was_waiting)


def _told(row: Subscription, notice: Notice, *, once: bool) -> Told:
    told = delivery.tell(row, [notice], is_asked_for=True, once=once)
    return told or Told(_("A worker is at it just now: see the log."))


def _set(row: Subscription, details: Details) -> None:
    name = printable(details.name, NAME_LENGTH)
    if not name:
        raise NotSaved("name", _("Give it a name."))
    if not details.wishes or not set(details.wishes) <= set(Kind.values):
        raise NotSaved("wishes", _("Choose what it is to be told."))
    if not re.fullmatch(PATTERN, details.repositories):
        raise NotSaved("repositories", _("Letters, digits, . _ / - and the wildcards * and ?."))
    target = row.target
    if details.target or not target:
        target = _webhook(details.target) if row.is_webhook else _addresses(details.target)
    if details.ca:
        _check_certificates(details.ca)
    row.name, row.target, row.ca = name, target, details.ca
    row.wishes = [kind for kind in Kind.values if kind in details.wishes]
    row.registry, row.repositories = details.registry, details.repositories


def _webhook(text: str) -> str:
    """The sentences never repeat it: it may hold a secret."""
    try:
        url = Url.parse(text.strip()) if len(text) <= _LONGEST else None
    except InvalidName:
        url = None
    if url is None:
        raise NotSaved("target", _("That is no address: https://hooks.example.org/berth is one, without a user name."))
    if not settings.NOTICE_PRIVATE_TARGETS.may_be(url.origin):
        raise NotSaved("target", _("http:// is only for addresses that BERTH_NOTICE_PRIVATE_TARGETS names."))
    return str(url)


def _addresses(text: str) -> str:
    addresses = list(dict.fromkeys(text.replace(",", " ").split()))
    if not addresses or len(addresses) > _ADDRESSES or len(text) > _LONGEST:
        raise NotSaved("target", _("Give one to ten addresses."))
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError as error:
            sentence = _("%(address)s is no address of mail.") % {"address": printable(address, 100)}
            raise NotSaved("target", sentence) from error
    return "\n".join(addresses)


def _check_certificates(pem: str) -> None:
    if "PRIVATE KEY" in pem:  # which would be stored and shown as it is
        raise NotSaved("ca", _("A key is in that too: only certificates belong here."))
    try:
        load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise NotSaved("ca", _("No certificate in PEM form is in that.")) from error


def _entry(row: Subscription, person: User, act: Entry.Act) -> Entry:
    return Entry(
        key=f"notice:{secrets.token_hex(16)}",
        act=act,
        outcome=Entry.Outcome.DONE,
        actor=str(person),
        actor_id=person.pk,
        registry=row.registry.name if row.registry else "",
        registry_id=row.registry_id,
        detail=f"{row.name} ({row.place})",
    )
