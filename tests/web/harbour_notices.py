"""Recipients of notices for the walk: one that takes them, one that fails, one that Berth switched off, and people."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from audit.models import Entry
from notices.models import Attempt, Notice, Subscription
from notices.payload import of_entry
from registries.models import Registry
from tests.notices import furniture as make
from tests.web.furniture import digest_of

_REFUSED = "it was answered with 503"


def build(where: Registry) -> Subscription:
    """The one whose page is walked to: it has taken some, and waits with others."""
    now = timezone.now()
    minute = timedelta(minutes=1)
    deployer = make.recipient(
        "https://deploy.lab.internal/hooks/berth",
        name="The deployer",
        created_by="mara",
        registry=where,
        repositories="platform/*",
        failures=1,
        failing_since=now - minute,
        delivered_at=now - 9 * minute,
    )
    make.people("mara@example.org", "ana@example.org", name="The team", wishes=["breach", "job-failed"])
    make.recipient(
        "https://chat.example.org/in/CANARY",
        name="The old chat",
        enabled=False,
        why_disabled="It answered 410: it wants no notices any more.",
    )
    for number, (act, fault) in enumerate(
        [(Entry.Act.MOVE, ""), (Entry.Act.DELETE_TAG, ""), (Entry.Act.PUSH, _REFUSED)]
    ):
        _attempt(deployer, act, fault, number)
    return deployer


def _attempt(to: Subscription, act: Entry.Act, fault: str, number: int) -> None:
    at = timezone.now() - timedelta(minutes=9 - 4 * number)
    told = Entry(
        at=at,
        act=act,
        outcome=Entry.Outcome.DONE,
        actor="ci",
        registry="local",
        repository="platform/api",
        tag=f"1.27.{number}",
        digest_before=digest_of(b"before"),
    )
    state = Notice.State.WAITING if fault else Notice.State.DELIVERED
    notice = Notice.objects.create(
        subscription=to, source=f"entry-{number}", payload=of_entry(told), state=state, attempts=1
    )
    Attempt.objects.create(
        subscription=to,
        notice=notice,
        at=at,
        status=503 if fault else 200,
        fault=fault,
        milliseconds=84 + number,
        answer="upstream connect error or disconnect/reset before headers" if fault else "",
    )
