"""Notices as mail: plain text, one mail a notice, and what comes faster than a person reads in one that sums it up."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext_noop

from audit.models import Entry
from notices.models import Attempt, Notice, Subscription
from notices.webhook import Told
from oci.errors import printable

MOST: Final = 5  # mails a minute to one recipient, the last of which may sum up
TOGETHER: Final = 500  # notices that one mail sums up
_NAMED: Final = 50  # of them, each with a line
_MINUTE: Final = timedelta(minutes=1)
_SUBJECT: Final = 150  # characters
_NOT_SET_UP: Final = gettext_noop("e-mail is not set up: BERTH_EMAIL_URL names no server")
_UNREADABLE: Final = gettext_noop("its addresses cannot be deciphered any more: give them again")
_REFUSED: Final = gettext_noop("the mail server refused it with %(status)s")
_NO_ANSWER: Final = gettext_noop("the mail server cannot be reached, or broke off")
SENTENCES: Final = (_NOT_SET_UP, _UNREADABLE, _REFUSED, _NO_ANSWER)

_WORDS: Final = {
    "io.berth.protected-tag.moved": "protected tag moved",
    "io.berth.protected-tag.deleted": "protected tag deleted",
    "io.berth.job.failed": "job failed",
    "io.berth.test": "test",
}
_LINES: Final = (
    ("Registry", "registry"),
    ("Repository", "repository"),
    ("Tag", "tag"),
    ("Before", "digest_before"),
    ("After", "digest_after"),
    ("Who", "actor"),
    ("Why", "why"),
    ("Job", "title"),
    ("What came of it", "message"),
    ("See", "url"),
)
_CLAIMED: Final = frozenset({"actor"})  # in what a registry told, these are its words


def next_mail(subscription: Subscription, due: Sequence[Notice], now: datetime) -> Sequence[Notice]:
    """Those of `due`, the oldest first, that the next mail is about; none while a minute has had its mails."""
    sent = Attempt.objects.filter(subscription=subscription, at__gt=now - _MINUTE)
    room = MOST - sent.values("at").distinct().count()
    if room <= 0:
        return ()
    return due[:TOGETHER] if room == 1 else due[:1]


def send(subscription: Subscription, notices: Sequence[Notice]) -> Told:
    """Never raises for what the mail server does."""
    if not settings.EMAIL_IS_SET_UP:
        return Told(_NOT_SET_UP)
    if not subscription.target:
        return Told(_UNREADABLE)
    one = notices[0]
    mail = EmailMessage(
        subject=_subject(one) if len(notices) == 1 else f"[Berth] {len(notices)} notices",
        body=_text(one) if len(notices) == 1 else _sum(notices),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=subscription.target.split(),
        headers={
            "Auto-Submitted": "auto-generated",
            "Message-ID": _message_id(subscription, notices),
        },
    )
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        return _refused(next(iter(error.recipients.values()))[0])
    except smtplib.SMTPResponseException as error:
        return _refused(error.smtp_code)
    except (smtplib.SMTPException, OSError):
        return Told(_NO_ANSWER)
    return Told()


def _refused(status: int) -> Told:
    """Without what the server said, which may repeat what it was told."""
    return Told(_REFUSED % {"status": status})


def _message_id(subscription: Subscription, notices: Sequence[Notice]) -> str:
    """The same when the same is told again."""
    about = ".".join(dict.fromkeys((notices[0].source, notices[-1].source)))
    return f"<{about}.{subscription.pk}@{urlsplit(settings.PUBLIC_URL).hostname}>"


def _subject(notice: Notice) -> str:
    """On one line, whatever a name holds."""
    return printable(f"[Berth] {_words(notice)}: {notice.subject}", _SUBJECT)


def _text(notice: Notice) -> str:
    claims = _CLAIMED if notice.data.get("source") == Entry.Source.EVENT else frozenset()
    lines = [
        f"{words}{', as the registry claims' if key in claims else ''}: {printable(str(notice.data[key]), 1_000)}"
        for words, key in _LINES
        if notice.data.get(key)
    ]
    first = printable(f"{_words(notice)}: {notice.subject}", 1_000)
    return "\n".join([f"{first[:1].upper()}{first[1:]}", f"When: {notice.payload['time']}", *lines, ""])


def _sum(notices: Sequence[Notice]) -> str:
    lines = [printable(f"{n.payload['time']}  {_words(n)}: {n.subject}", 500) for n in notices[:_NAMED]]
    more = [f"and {len(notices) - _NAMED} more"] if len(notices) > _NAMED else []
    return "\n".join([*lines, *more, "", f"See: {settings.PUBLIC_URL}/activity", ""])


def _words(notice: Notice) -> str:
    """io.berth.tag.pushed-again as "tag pushed again"."""
    kind = notice.event_type
    return _WORDS.get(kind, kind.removeprefix("io.berth.").replace(".", " ").replace("-", " "))
