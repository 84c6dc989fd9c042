"""What a notice says: made once, when the thing is found, and told as it is however often it is tried."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from audit.models import Entry
from jobs.models import Job
from notices.kinds import JOB_FAILED, OF_AN_ACT, TEST
from notices.models import Notice

CONTENT_TYPE: Final = "application/cloudevents+json"
_TEXT: Final = 1_000  # characters of a sentence


def of_entry(entry: Entry) -> dict[str, Any]:
    kind, event_type = OF_AN_ACT[entry.act]
    asked = {"registry": entry.registry, "repository": entry.repository, "tag": entry.tag}
    page = f"{reverse('activity')}?{urlencode({key: value for key, value in asked.items() if value})}"
    data = {
        "kind": kind.value,
        "act": entry.act,
        "registry": entry.registry,
        "repository": entry.repository,
        "tag": entry.tag,
        "digest_before": entry.digest_before,
        "digest_after": entry.digest_after,
        "actor": entry.actor,
        "source": entry.source,
        "outcome": entry.outcome,
        "why": entry.why[:_TEXT],
        "since": _stamp(entry.since),
        "claimed_at": _stamp(entry.claimed_at),
        "url": settings.PUBLIC_URL + page,
    }
    return _payload(event_type, entry.at, _name(entry), data)


def of_job(job: Job, registry: str) -> dict[str, Any]:
    data = {
        "kind": "job-failed",
        "job": job.pk,
        "title": job.title,
        "message": job.message[:_TEXT],
        "registry": registry,
        "url": settings.PUBLIC_URL + reverse("job", args=[job.pk]),
    }
    return _payload(JOB_FAILED, job.finished_at or job.created_at, job.title, data)


def of_test(name: str, person: str, now: datetime) -> dict[str, Any]:
    data = {"kind": "test", "name": name, "actor": person, "url": settings.PUBLIC_URL + reverse("notices")}
    return _payload(TEST, now, name, data)


def cloud_event(notice: Notice) -> bytes:
    """CloudEvents 1.0 in structured mode."""
    event = {
        "specversion": "1.0",
        "id": notice.source,
        "source": settings.PUBLIC_URL,
        "type": notice.event_type,
        "subject": notice.subject,
        "time": notice.payload["time"],
        "datacontenttype": "application/json",
        "data": notice.data,
    }
    return json.dumps(event, separators=(",", ":")).encode()


def _payload(event_type: str, at: datetime, subject: str, data: dict[str, Any]) -> dict[str, Any]:
    told = {key: value for key, value in data.items() if value not in ("", None)}
    return {"type": event_type, "time": _stamp(at), "subject": subject, "data": told}


def _name(entry: Entry) -> str:
    """As a person would write it: local/team/app:1.0, or the digest where there is no tag."""
    name = "/".join(part for part in (entry.registry, entry.repository) if part)
    if entry.tag:
        return f"{name}:{entry.tag}"
    digest = entry.digest_after or entry.digest_before
    return f"{name}@{digest}" if digest else name


def _stamp(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None
