"""What is to be said of the events of a registry, and of what is missing, each with its cure. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from django.utils import dateformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.freshness import MOST, Freshness
from registries.findings import Finding, Mark

_SKEW: Final = timedelta(seconds=60)
_PATIENCE: Final = timedelta(seconds=60)  # what waits for longer is stuck
_RECENT: Final = timedelta(days=1)


def event_findings(fresh: Freshness) -> list[Finding]:
    """What is off first, the most important of it first."""
    found = [
        *_refused(fresh),
        *_stream(fresh),
        *_missed(fresh),
        *_waiting(fresh),
        *_quarantine(fresh),
        *_clock(fresh),
        *_restart(fresh),
        *_unexplained(fresh),
    ]
    return sorted(found, key=lambda finding: finding.mark != Mark.NO)


def works(findings: list[Finding]) -> bool:
    return all(finding.mark != Mark.NO for finding in findings)


def _stream(fresh: Freshness) -> list[Finding]:
    topic = _("Events")
    if not fresh.secrets:
        sentence = _("No secret is live, so the registry cannot tell Berth anything: scans alone find what changes.")
        cure = _("Issue one, and put the block with it into the configuration of the registry.")
        return [Finding(Mark.NO, topic, _("No events"), sentence, cure)]
    if fresh.stream is not None:
        sentence = _("The registry has told Berth what happens since %(when)s.")
        return [Finding(Mark.OK, topic, _("Events"), sentence % {"when": _moment(fresh.stream.first_at)})]
    if fresh.waiting:
        return []
    sentence = _("A secret was issued on %(when)s, and no event has come since.")
    cure = _(
        "Put the block into the configuration of the registry and start it anew: it reads that only as it starts. Then"
        " test."
    )
    return [Finding(Mark.NO, topic, _("No events"), sentence % {"when": _moment(fresh.secrets[-1].created_at)}, cure)]


def _refused(fresh: Freshness) -> list[Finding]:
    """Those who called after the last event: before that, the cure was found."""
    heard = fresh.stream.last_at if fresh.stream else None
    callers = [caller for caller in fresh.refused if heard is None or caller.last_at > heard]
    if not callers:
        return []
    caller = callers[0]
    sentence = ngettext(
        "A caller at %(address)s does not show the secret: %(n)s time, the last on %(when)s.",
        "A caller at %(address)s does not show the secret: %(n)s times, the last on %(when)s.",
        caller.count,
    ) % {
        "address": caller.address or _("one of many addresses"),
        "n": number_format(caller.count, force_grouping=True),
        "when": _moment(caller.last_at),
    }
    cure = _(
        "If that is the registry, its configuration holds another secret: issue a new one, put it there, and start it"
        " anew. It keeps what it has to tell until then."
    )
    if not fresh.secrets:
        cure = _("If that is the registry, its secret was revoked: issue a new one, put it there, and start it anew.")
    return [Finding(Mark.NO, _("Secret"), _("Wrong secret"), sentence, cure)]


def _missed(fresh: Freshness) -> list[Finding]:
    if not fresh.missed or fresh.stream is None:
        return []
    sentence = ngettext(
        "Since the last event, on %(when)s, scans found %(n)s tag pushed of which the registry told nothing.",
        "Since the last event, on %(when)s, scans found %(n)s tags pushed of which the registry told nothing.",
        fresh.missed,
    )
    sentence %= {"when": _moment(fresh.stream.last_at), "n": number_format(fresh.missed, force_grouping=True)}
    cure = _(
        "Is the block still in its configuration, and does it reach Berth? Its log says so: look for “error writing"
        " event”. Then test."
    )
    return [Finding(Mark.NO, _("Silence"), _("Silent"), sentence, cure)]


def _waiting(fresh: Freshness) -> list[Finding]:
    if fresh.waiting_since is None or fresh.now - fresh.waiting_since < _PATIENCE:
        return []
    sentence = ngettext(
        "%(n)s event has come in and has no effect yet; the oldest is from %(when)s.",
        "%(n)s events have come in and have no effect yet; the oldest is from %(when)s.",
        fresh.waiting,
    )
    count = number_format(fresh.waiting, force_grouping=True) + ("+" if fresh.waiting >= MOST else "")
    sentence %= {"n": count, "when": _moment(fresh.waiting_since)}
    cure = _("Berth's workers give them effect: are they running? Nothing is lost meanwhile.")
    return [Finding(Mark.NO, _("Inbox"), _("Events wait"), sentence, cure)]


def _quarantine(fresh: Freshness) -> list[Finding]:
    if not fresh.quarantine:
        return []
    count = max(len(fresh.quarantine), fresh.stream.quarantined if fresh.stream else 0)
    sentence = ngettext(
        "%(n)s event could not be handled, and is kept apart; the last came on %(when)s.",
        "%(n)s events could not be handled, and are kept apart; the last came on %(when)s.",
        count,
    )
    newest = fresh.quarantine[0]
    sentence %= {"n": number_format(count, force_grouping=True), "when": _moment(newest.received_at)}
    mark = Mark.NO if fresh.now - newest.received_at < _RECENT else Mark.NOTE
    cure = _("Look at how the newest begin: what sent them? What they told of, scans find.")
    return [Finding(mark, _("Quarantine"), _("Quarantine"), sentence, cure, newest.why)]


def _clock(fresh: Freshness) -> list[Finding]:
    travel = fresh.travel
    if travel is None or abs(travel) <= _SKEW:
        return []
    seconds = {"n": number_format(int(abs(travel).total_seconds()), force_grouping=True)}
    if travel < timedelta(0):
        sentence = _("The clock of the registry is %(n)s s ahead of Berth's.") % seconds
    else:
        sentence = _(
            "The last event came %(n)s s after it had happened, as the registry says: its clock is behind, or it could"
            " not reach Berth before."
        )
        sentence %= seconds
    return [Finding(Mark.NO, _("Clock"), _("Clock"), sentence, _("Set the clocks of both machines by NTP."))]


def _restart(fresh: Freshness) -> list[Finding]:
    if fresh.restarted_at is None:
        return []
    sentence = _(
        "The registry that runs now told its first event on %(when)s. What the one before had not told by then is lost,"
        " and scans find it."
    )
    return [Finding(Mark.NOTE, _("Restart"), "", sentence % {"when": _moment(fresh.restarted_at)})]


def _unexplained(fresh: Freshness) -> list[Finding]:
    count = fresh.stream.unexplained if fresh.stream else 0
    if not count:
        return []
    sentence = ngettext(
        "Scans found %(n)s change that no event had told.",
        "Scans found %(n)s changes that no event had told.",
        count,
    )
    return [Finding(Mark.NOTE, _("Drift"), "", sentence % {"n": number_format(count, force_grouping=True)})]


def _moment(when: datetime) -> str:
    # Translators: day, month and year, time, in the letters of Django's filter "date".
    form = _("j M Y, H:i:s")
    return f"{dateformat.format(when.astimezone(UTC), form)} UTC"
