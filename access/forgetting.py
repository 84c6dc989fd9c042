"""What is not kept about people for ever: sessions that are over, and who signed in, or tried to, 90 days ago."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from axes.models import AccessAttempt, AccessLog
from django.core.management import call_command

KEPT: Final = timedelta(days=90)


def forget(now: datetime) -> None:
    call_command("clearsessions")
    for visits in (AccessAttempt, AccessLog):
        visits.objects.filter(attempt_time__lt=now - KEPT).delete()
