"""Recipients of notices and what they are told, built directly."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.utils import timezone

from audit.models import Entry
from notices import tasks
from notices.models import Notice, Subscription
from notices.payload import of_test
from notices.signing import new_secret

EVERYTHING = ["breach", "push", "delete", "broken", "job-failed"]


def recipient(target: str = "http://127.0.0.1:1/hook", **fields: Any) -> Subscription:
    values = {"name": "deployer", "way": "webhook", "secret": new_secret(), "wishes": EVERYTHING}
    return Subscription.objects.create(target=target, **{**values, **fields})


def people(*addresses: str, **fields: Any) -> Subscription:
    return recipient("\n".join(addresses or ("mara@example.org",)), way="email", secret="", **fields)


def notice(to: Subscription, source: str = "", **fields: Any) -> Notice:
    source = source or f"test-{secrets.token_hex(8)}"
    return Notice.objects.create(
        subscription=to, source=source, payload=of_test(to.name, "mara", timezone.now()), **fields
    )


def entry(act: Entry.Act = Entry.Act.MOVE, **fields: Any) -> Entry:
    values: dict[str, Any] = {
        "key": secrets.token_hex(16),
        "act": act,
        "outcome": Entry.Outcome.DONE,
        "registry": "local",
        "registry_id": 1,
        "repository": "team/app",
        "tag": "1.0",
    }
    return Entry.objects.create(**{**values, **fields})


def later(to: Subscription) -> None:
    """As if the time for which it and its notices are left alone were over."""
    past = timezone.now() - timedelta(seconds=1)
    Subscription.objects.filter(pk=to.pk).update(resume_at=None, busy_until=None)
    to.notices.update(next_at=past)


def round_of_work() -> None:
    """What beat wakes."""
    tasks.tell()
