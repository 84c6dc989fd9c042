from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.schedule import LONGEST, InvalidSchedule, Schedule, When

BERLIN = "Europe/Berlin"  # forward on 2025-03-30 at 01:00 UTC, back on 2025-10-26 at 01:00 UTC
LORD_HOWE = "Australia/Lord_Howe"  # by half an hour
CAIRO = "Africa/Cairo"  # at midnight


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def cron(line: str, zone: str = "UTC", window: str = "") -> Schedule:
    return Schedule(When.CRON, cron=line, zone=zone, window=window)


def due(schedule: Schedule, since: str, most: int = 3) -> list[str]:
    """The next so many moments, in UTC."""
    moment: datetime | None = at(since)
    found: list[str] = []
    while moment is not None and len(found) < most:
        moment = schedule.next_after(moment)
        if moment is not None:
            assert moment.tzinfo is UTC
            found.append(f"{moment:%Y-%m-%dT%H:%M}")
    return found


@pytest.mark.parametrize(
    ("line", "zone", "since", "moments"),
    [
        ("0 3 * * *", "UTC", "2025-01-01T03:00", "2025-01-02T03:00 2025-01-03T03:00"),
        ("0 3 * * *", "UTC", "2025-01-01T02:59:59.999999", "2025-01-01T03:00"),
        ("*/20 * * * *", "UTC", "2025-01-01T23:30", "2025-01-01T23:40 2025-01-02T00:00"),
        ("0 3 * * MON", "UTC", "2025-01-01T00:00", "2025-01-06T03:00 2025-01-13T03:00"),
        ("30 1 1,15 * *", "UTC", "2025-01-01T02:00", "2025-01-15T01:30 2025-02-01T01:30"),
        ("0 0 L * *", "UTC", "2024-02-01T00:00", "2024-02-29T00:00 2024-03-31T00:00"),
        ("0 0 29 2 *", "UTC", "2024-02-29T00:00", "2028-02-29T00:00 2032-02-29T00:00"),
        ("0 0 29 2 *", "UTC", "2096-02-29T00:00", "2104-02-29T00:00"),  # 2100 is no leap year
        ("0 3 * * *", "Asia/Seoul", "2025-01-01T00:00", "2025-01-01T18:00"),
        ("0 3 * * *", "Asia/Kolkata", "2025-01-01T00:00", "2025-01-01T21:30"),
        # The clock skips 02:00 to 03:00.
        ("30 2 * * *", BERLIN, "2025-03-29T00:00", "2025-03-29T01:30 2025-03-30T01:00 2025-03-31T00:30"),
        ("0 3 * * *", BERLIN, "2025-03-29T03:00", "2025-03-30T01:00 2025-03-31T01:00"),
        ("*/30 * * * *", BERLIN, "2025-03-30T00:00", "2025-03-30T00:30 2025-03-30T01:00 2025-03-30T01:30"),
        ("15,45 2 * * *", BERLIN, "2025-03-30T00:00", "2025-03-30T01:00 2025-03-31T00:15"),
        # It repeats 02:00 to 03:00.
        ("30 2 * * *", BERLIN, "2025-10-25T12:00", "2025-10-26T00:30 2025-10-27T01:30"),
        ("30 2 * * *", BERLIN, "2025-10-26T01:15", "2025-10-27T01:30"),
        ("*/30 * * * *", BERLIN, "2025-10-26T00:00", "2025-10-26T00:30 2025-10-26T01:00 2025-10-26T01:30"),
        ("0 3 * * *", BERLIN, "2025-10-26T00:00", "2025-10-26T02:00 2025-10-27T02:00"),
        ("15 2 * * *", LORD_HOWE, "2025-10-04T00:00", "2025-10-04T15:30 2025-10-05T15:15"),
        ("45 1 * * *", LORD_HOWE, "2025-04-05T00:00", "2025-04-05T14:45 2025-04-06T15:15"),
        ("15 0 * * *", CAIRO, "2025-04-24T12:00", "2025-04-24T22:00 2025-04-25T21:15"),
    ],
)
def test_a_cron_line_is_due_by_the_clock_of_its_zone(line: str, zone: str, since: str, moments: str) -> None:
    schedule = cron(line, zone)
    schedule.check()

    assert due(schedule, since, len(moments.split())) == moments.split()


@pytest.mark.parametrize(
    ("window", "zone", "inside", "outside"),
    [
        ("", BERLIN, "2025-01-01T00:00 2025-01-01T12:00", ""),
        ("09:00-17:30", "UTC", "2025-01-01T09:00 2025-01-01T17:29:59", "2025-01-01T08:59:59 2025-01-01T17:30"),
        (
            "22:00-06:00",
            "UTC",
            "2025-01-01T22:00 2025-01-01T00:00 2025-01-01T05:59",
            "2025-01-01T06:00 2025-01-01T21:59",
        ),
        ("18:00-24:00", "UTC", "2025-01-01T18:00 2025-01-01T23:59:59", "2025-01-01T00:00 2025-01-01T17:59"),
        ("00:00-06:00", "Asia/Seoul", "2025-01-01T15:00 2025-01-01T20:59", "2025-01-01T14:59 2025-01-01T21:00"),
        ("02:15-03:30", BERLIN, "2025-03-30T01:00 2025-03-30T01:29", "2025-03-30T00:59 2025-03-30T01:30"),
        ("02:00-03:00", BERLIN, "2025-10-26T00:00 2025-10-26T01:59", "2025-10-25T23:59 2025-10-26T02:00"),
    ],
)
def test_a_window_is_open_by_the_clock_of_its_zone(window: str, zone: str, inside: str, outside: str) -> None:
    schedule = Schedule(window=window, zone=zone)
    moments = {**dict.fromkeys(inside.split(), True), **dict.fromkeys(outside.split(), False)}

    assert {moment: schedule.is_open(at(moment)) for moment in moments} == moments


@pytest.mark.parametrize(
    ("window", "zone", "moment", "opens", "closes"),
    [
        ("09:00-17:00", "UTC", "2025-01-01T12:00:30", "2025-01-01T12:00:30", "2025-01-01T17:00"),
        ("09:00-17:00", "UTC", "2025-01-01T17:00", "2025-01-02T09:00", "2025-01-01T17:00"),
        ("09:00-17:00", "UTC", "2025-01-01T08:59:59.5", "2025-01-01T09:00", "2025-01-01T08:59:59.5"),
        ("22:00-06:00", "UTC", "2025-01-01T23:00", "2025-01-01T23:00", "2025-01-02T06:00"),
        ("22:00-06:00", "UTC", "2025-01-01T07:00", "2025-01-01T22:00", "2025-01-01T07:00"),
        # A night that is an hour shorter, and one that is an hour longer.
        ("22:00-06:00", BERLIN, "2025-03-29T21:00", "2025-03-29T21:00", "2025-03-30T04:00"),
        ("22:00-06:00", BERLIN, "2025-10-25T20:00", "2025-10-25T20:00", "2025-10-26T05:00"),
        # Its beginning is skipped, then all of it, then it comes twice.
        ("02:15-04:00", BERLIN, "2025-03-30T00:30", "2025-03-30T01:00", "2025-03-30T00:30"),
        ("02:15-02:45", BERLIN, "2025-03-30T00:30", "2025-03-31T00:15", "2025-03-30T00:30"),
        ("02:00-02:30", BERLIN, "2025-10-26T00:40", "2025-10-26T01:00", "2025-10-26T00:40"),
        ("00:00-06:00", "Pacific/Apia", "2011-12-30T09:00", "2011-12-30T10:00", "2011-12-30T09:00"),  # skips a day
    ],
)
def test_a_window_opens_and_closes(window: str, zone: str, moment: str, opens: str, closes: str) -> None:
    schedule = Schedule(window=window, zone=zone)

    assert schedule.opens_after(at(moment)) == at(opens)
    assert schedule.closes_after(at(moment)) == at(closes)


def test_a_window_of_all_day_never_closes() -> None:
    assert Schedule().opens_after(at("2025-01-01T12:00")) == at("2025-01-01T12:00")
    assert Schedule().closes_after(at("2025-01-01T12:00")) is None


@pytest.mark.parametrize(
    ("schedule", "moments"),
    [
        (cron("0 12 * * *", window="22:00-06:00"), "2025-01-01T22:00 2025-01-02T22:00"),
        (cron("0 * * * *", window="22:00-23:30"), "2025-01-01T22:00 2025-01-01T23:00 2025-01-02T22:00"),
        (cron("30 * * * *", window="22:00-22:15"), "2025-01-01T22:00 2025-01-02T22:00"),
        (Schedule(When.EVERY, every=90), "2025-01-01T09:30 2025-01-01T11:00"),
        (Schedule(When.EVERY, every=24 * 60, zone=BERLIN), "2025-01-02T08:00"),
        (Schedule(When.EVERY, every=90, window="06:00-10:00"), "2025-01-01T09:30 2025-01-02T06:00 2025-01-02T07:30"),
        (Schedule(When.BY_HAND, window="06:00-10:00"), ""),
        (Schedule(When.EVENT), ""),
    ],
)
def test_what_is_due_outside_of_its_hours_waits_for_them(schedule: Schedule, moments: str) -> None:
    schedule.check()

    assert due(schedule, "2025-01-01T08:00", len(moments.split()) or 1) == moments.split()


@pytest.mark.parametrize(
    "line",
    [
        *("*/5 * * * *", "0 0 * * SUN", "0 0 1-7 * 1", "0 0 * * 5#2", "59 23 1 1 *", "0,5,10 3 * * *", "0,57 3 * * *"),
        *("0,57 1,3 * * *", "  0   3 * * *  "),
    ],
)
def test_a_cron_line_has_five_fields_and_five_minutes(line: str) -> None:
    cron(line).check()


@pytest.mark.parametrize(
    "line",
    [
        *("", "* * *", "@daily", "0 0 3 * * *", "60 * * * *", "0 24 * * *", "0 0 0 * *", "0 0 30 2 *", "0 0 */8 * 1#5"),
        # Too often: within an hour, over the end of one, over midnight.
        *("* * * * *", "*/4 * * * *", "0,4 3 * * *", "1,58 * * * *", "1,58 3,4 * * *", "0,59 0,23 * * *"),
        *("0 0 * * " + "1," * 100 + "1", "² * * * *", "\x00 * * * *", "0 0 * * *; ls"),
    ],
)
def test_a_cron_line_that_is_none_or_too_often_is_refused(line: str) -> None:
    with pytest.raises(InvalidSchedule) as raised:
        cron(line).check()

    assert raised.value.field == "cron"
    assert line.startswith(raised.value.text)


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        (Schedule(When.EVERY), "every"),
        (Schedule(When.EVERY, every=4), "every"),
        (Schedule(When.EVERY, every=-60), "every"),
        (Schedule(When.EVERY, every=LONGEST + 1), "every"),
        *[
            (Schedule(window=window), "window")
            for window in ("22:00", "22-6", "9:00-17:00", "24:00-06:00", "06:00-06:00", "00:00-24:00", "09:60-10:00")
        ],
        *[(Schedule(window=window), "window") for window in ("25:00-26:00", " 09:00-10:00", "09:00-10:00\n", "a")],
        *[
            (Schedule(zone=zone), "zone")
            for zone in ("", "Europe", "europe/berlin", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "UTC\x00")
        ],
    ],
)
def test_the_rest_of_a_schedule_is_checked_too(schedule: Schedule, field: str) -> None:
    with pytest.raises(InvalidSchedule) as raised:
        schedule.check()

    assert raised.value.field == field


def test_what_is_not_made_use_of_is_not_looked_at() -> None:
    Schedule(When.BY_HAND, cron="rubbish", every=1).check()
    Schedule(When.EVERY, cron="rubbish", every=LONGEST).check()


lines = st.sampled_from(("*/30 * * * *", "30 2 * * *", "0 0 * * *", "5 */3 * * MON", "0 0 29 2 *", "15 1-3 * * *"))
zones = st.sampled_from(("UTC", BERLIN, LORD_HOWE, CAIRO, "America/New_York", "Asia/Kathmandu", "Pacific/Apia"))
windows = st.sampled_from(("", "22:00-06:00", "02:15-02:45", "00:30-24:00", "01:59-02:01", "03:00-02:59"))
days = [datetime(2025, month, day, tzinfo=UTC) for month, day in ((3, 30), (10, 26), (4, 5), (10, 4), (4, 24), (11, 2))]
moments = st.builds(
    lambda day, seconds: day + timedelta(seconds=seconds), st.sampled_from(days), st.integers(-200_000, 200_000)
)
schedules = st.builds(cron, lines, zones, windows) | st.builds(
    lambda every, zone, window: Schedule(When.EVERY, every=every, zone=zone, window=window),
    st.integers(5, 3_000),
    zones,
    windows,
)


@given(schedules, moments)
def test_the_next_moment_is_later_and_in_the_window(schedule: Schedule, moment: datetime) -> None:
    found = schedule.next_after(moment)

    assert found is not None
    assert found > moment
    assert schedule.is_open(found)


@given(schedules, st.lists(moments, min_size=2, max_size=9))
def test_a_later_moment_has_no_sooner_next_one(schedule: Schedule, some: list[datetime]) -> None:
    found = [schedule.next_after(moment) for moment in sorted(some)]

    assert all(sooner is not None and later is not None and sooner <= later for sooner, later in pairwise(found))


@given(windows, zones, moments)
def test_a_window_closes_after_it_has_opened(window: str, zone: str, moment: datetime) -> None:
    schedule = Schedule(window=window, zone=zone)
    opens = schedule.opens_after(moment)
    closes = schedule.closes_after(opens)

    assert schedule.is_open(opens)
    assert (opens == moment) is schedule.is_open(moment)
    assert closes is None or (closes > opens and not schedule.is_open(closes))
    assert closes is None or schedule.is_open(closes - timedelta(microseconds=1))


@given(st.text(max_size=30) | st.text("0123456789*/,-L# MONSUN", max_size=30), st.text(max_size=12))
def test_any_text_is_a_schedule_or_is_refused(text: str, other: str) -> None:
    for schedule in (cron(text, window=""), cron("0 0 * * *", zone=other), Schedule(window=text)):
        try:
            schedule.check()
        except InvalidSchedule:
            continue
        schedule.next_after(datetime(2025, 1, 1, tzinfo=UTC))
        assert schedule.zone == "UTC" or ZoneInfo(schedule.zone)
