"""Notices as mail, handed to a real mail server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from audit.models import Entry
from notices import delivery, mailing, services
from notices.models import LEASE, Attempt, Notice
from registry_ui.mail import mail_settings
from tests.certificates import SelfSigned
from tests.notices import furniture as make
from tests.notices.mailbox import Mailbox
from tests.web import furniture as rows

pytestmark = pytest.mark.django_db


def use(settings: Settings, address: str) -> None:
    settings.EMAIL_IS_SET_UP = True
    for name, value in mail_settings(address).items():
        setattr(settings, name, value)


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        use(settings, f"smtp://127.0.0.1:{mailbox.port}?tls=none")
        yield mailbox


def a_minute_passes() -> None:
    for attempt in Attempt.objects.all():
        Attempt.objects.filter(pk=attempt.pk).update(at=attempt.at - timedelta(minutes=1))


@pytest.mark.parametrize(
    ("source", "line"), [("event", "Who, as the registry claims: mallory"), ("berth", "Who: mallory")]
)
def test_whom_a_registry_names_is_said_to_be_its_claim(mailbox: Mailbox, source: str, line: str) -> None:
    make.people()
    make.entry(Entry.Act.MOVE, source=source, actor="mallory")
    make.round_of_work()

    assert line in mailbox.mails[0].get_content().splitlines()


def test_a_thing_is_a_mail_in_plain_text(mailbox: Mailbox, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://berth.example.org"
    settings.DEFAULT_FROM_EMAIL = "berth@berth.example.org"
    to = make.people("mara@example.org", "ana@example.org")
    found = make.entry(Entry.Act.BREACH_MOVE, digest_before="sha256:a", digest_after="sha256:b", why="released")

    make.round_of_work()

    (mail,) = mailbox.mails
    assert mail["Subject"] == "[Berth] protected tag moved: local/team/app:1.0"
    assert (mail["From"], mail["To"]) == ("berth@berth.example.org", "mara@example.org, ana@example.org")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<entry-{found.pk}.{to.pk}@berth.example.org>"
    assert mail.get_content_type() == "text/plain"
    lines = mail.get_content().splitlines()
    assert lines[0] == "Protected tag moved: local/team/app:1.0"
    assert "Before: sha256:a" in lines
    assert "Why: released" in lines
    assert lines[-1].startswith("See: https://berth.example.org/activity?registry=local")
    assert Notice.objects.get().state == Notice.State.DELIVERED


def test_a_name_with_line_breaks_adds_no_header(mailbox: Mailbox) -> None:
    evil = "1.0\r\nBcc: everybody@example.org\r\n\r\nhello"
    make.people()
    make.entry(tag=evil, why="one\r\n.\r\nQUIT")

    make.round_of_work()

    (mail,) = mailbox.mails
    assert "Bcc" not in mail
    assert len(mail["Subject"].splitlines()) == 1
    assert "everybody@example.org" in mail["Subject"]
    assert not any(command.startswith("RCPT") and "everybody" in command for command in mailbox.commands)


def test_what_comes_too_fast_is_summed_up(mailbox: Mailbox) -> None:
    make.people()
    for number in range(70):
        make.entry(tag=f"1.{number}")

    make.round_of_work()
    make.round_of_work()

    assert len(mailbox.mails) == mailing.MOST
    assert [str(mail["Subject"]) for mail in mailbox.mails[-2:]] == [
        "[Berth] tag moved: local/team/app:1.3",
        "[Berth] 66 notices",
    ]
    text = mailbox.mails[-1].get_content()
    assert "local/team/app:1.4" in text
    assert "and 16 more" in text
    assert not Notice.objects.exclude(state=Notice.State.DELIVERED).exists()
    make.entry(tag="next")
    make.round_of_work()
    assert len(mailbox.mails) == mailing.MOST  # it waits for the next minute
    a_minute_passes()
    make.round_of_work()
    assert mailbox.mails[-1]["Subject"] == "[Berth] tag moved: local/team/app:next"


def test_a_server_that_refuses_is_tried_again(mailbox: Mailbox) -> None:
    to = make.people()
    told = make.notice(to)
    mailbox.refusals = {"RCPT": "550 no such user mara@example.org"}
    delivery.deliver()
    told.refresh_from_db()
    assert told.state == Notice.State.WAITING
    assert Attempt.objects.get().fault == "the mail server refused it with 550"
    mailbox.refusals = {}
    make.later(to)

    delivery.deliver()

    assert len(mailbox.mails) == 1


@pytest.mark.parametrize("word", ["EHLO", "MAIL", "DATA"])
def test_each_refusal_is_a_fault(word: str, mailbox: Mailbox) -> None:
    mailbox.refusals = {word: "421 later", "HELO": "421 later"}

    assert services.test(make.people(), rows.person(staff=True)).fault == "the mail server refused it with 421"


def test_nobody_there_is_a_fault(settings: Settings) -> None:
    use(settings, "smtp://127.0.0.1:1?tls=none")

    assert "cannot be reached" in services.test(make.people(), rows.person(staff=True)).fault


@pytest.mark.parametrize("word", ["", "EHLO", "MAIL", "DATA"])
def test_a_server_that_answers_letter_by_letter_is_given_up(word: str, mailbox: Mailbox, settings: Settings) -> None:
    settings.EMAIL_TIMEOUT = 0.5
    mailbox.slow = word
    told = make.notice(make.people())

    delivery.deliver()

    assert Attempt.objects.get().fault == "the mail server cannot be reached, or broke off"
    told.refresh_from_db()
    assert told.state == Notice.State.WAITING


def test_a_mail_is_over_long_before_another_worker_may_send_it() -> None:
    assert mail_settings("smtp://mail.example.org")["EMAIL_TIMEOUT"] <= LEASE.total_seconds() / 2


def test_who_is_slow_to_say_goodbye_has_taken_it(mailbox: Mailbox, settings: Settings) -> None:
    settings.EMAIL_TIMEOUT = 2
    mailbox.slow = "QUIT"

    assert services.test(make.people(), rows.person(staff=True)).fault == ""

    assert len(mailbox.mails) == 1


@pytest.mark.parametrize(("scheme", "word"), [("smtp", "STARTTLS"), ("smtp", "MAIL"), ("smtps", "MAIL")])
def test_tls_keeps_nobody_waiting_longer(
    scheme: str, word: str, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = SelfSigned.made(tmp_path / "tls")
    monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
    with Mailbox((made.certificate, made.key), is_tls=scheme == "smtps") as mailbox:
        use(settings, f"{scheme}://127.0.0.1:{mailbox.port}")
        settings.EMAIL_TIMEOUT = 0.5
        mailbox.slow = word

        assert "broke off" in services.test(make.people(), rows.person(staff=True)).fault


def test_without_a_server_it_says_so(settings: Settings) -> None:
    assert "BERTH_EMAIL_URL" in services.test(make.people(), rows.person(staff=True)).fault


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_password_goes_over_tls_to_who_proves_who_it_is(
    scheme: str, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = SelfSigned.made(tmp_path / "tls")
    to, mara = make.people(), rows.person(staff=True)
    with Mailbox((made.certificate, made.key), is_tls=scheme == "smtps") as mailbox:
        use(settings, f"{scheme}://berth:p%40ss@127.0.0.1:{mailbox.port}")
        assert "cannot be reached" in services.test(to, mara).fault
        assert mailbox.logins == []

        monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
        assert services.test(to, mara).fault == ""

        assert mailbox.logins == ["\0berth\0p@ss"]
        assert len(mailbox.mails) == 1


def test_mails_of_a_minute_are_counted_by_their_moment() -> None:
    to, now = make.people(), timezone.now()
    due = [make.notice(to) for _ in range(3)]
    for told in due:
        Attempt.objects.create(subscription=to, notice=told, at=now)

    assert mailing.next_mail(to, due, now) == due[:1]  # the three were one mail
