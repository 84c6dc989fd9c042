"""The pages of what was done: what a row says, to whom, what the list is narrowed to, and what is new in it."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from datetime import timedelta
from typing import Final

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from audit.models import Entry
from audit.reads.files import FIELDS, lines_of
from audit.reads.filters import EntryFilter
from registries.models import Registry
from tests.audit.entries import D1, D2, many, told
from tests.web.pages import Page

pytestmark = pytest.mark.django_db
HOSTILE: Final = (
    "=cmd|'/C calc'!A0",
    "+1+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '"=1+1"', "' =1", '"', ",", "a\r\nb", "\u200b", "\uff1d1",
    "<script>alert(1)</script>", "javascript:alert(1)", "사람", "  =1", "\ufeff=1",
)  # fmt: skip


def get(client: Client, path: str) -> Page:
    response = client.get(path)
    assert response.status_code == 200
    return Page(response.content.decode())


def test_a_row_says_what_was_done_and_by_whom(client: Client, local: Registry) -> None:
    now = timezone.now()
    told("1", act="push")
    told("2", act="move", digest_before=D2, claimed_at=now - timedelta(hours=3))
    told("3", act="pull", tag="", count=12, actor="", since=now - timedelta(hours=9))
    told("4", act="mount", tag="", count=3, from_repository="base/debian")
    told("5", act="change", source="scan", actor="", address="", since=now, digest_before=D2, digest_after="")
    told("6", act="change", source="scan", actor="", address="", since=now, count=40, tag="", digest_after="")
    told("7", act="gap", source="scan", actor="", address="", since=now, repository="", detail="it was started anew")
    page = get(client, "/activity")
    for said in (
        "pushed team/app:1.0 ci as the registry claims: 10.0.0.7 · docker/28.1.1",
        "moved team/app:1.0",
        "claimed:",
        "pulled team/app@aaaaaaaaaaaa \xd712",
        "not named",
        "mounted 3 layers from base/debian into team/app",
        "team/app:1.0 went",
        "40 tags of team/app changed",
        "no event told so · between",
        "events of local may be missing",
        "it was started anew",
    ):
        assert said in page.words
    assert f"/r/local/team/app/-/manifests/{D2}" in page.links
    assert "/r/local/team/app/-/tags/1.0/history" in page.links


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        ("notice-add", "set up notices to deployer (https://ci.example.org)"),
        ("notice-change", "changed notices to deployer (https://ci.example.org)"),
        ("notice-remove", "removed notices to deployer (https://ci.example.org)"),
    ],
)
def test_what_was_done_to_notices_is_a_sentence(client: Client, act: str, sentence: str) -> None:
    told("1", act=act, source="berth", repository="", tag="", detail="deployer (https://ci.example.org)")
    assert sentence in get(client, "/activity").words


def test_of_events_that_may_be_missing_nobody_is_looked_for(client: Client) -> None:
    told("1", act="gap", actor="", repository="", tag="")
    assert "not named" not in get(client, "/activity").words


@pytest.mark.parametrize("text", HOSTILE)
def test_what_an_event_claims_is_text(client: Client, text: str) -> None:
    names = ("actor", "address", "user_agent", "repository", "tag", "from_repository", "event_id", "registry")
    for act in Entry.Act.values:
        told(act, act=act, source="event", digest_after="x", digest_before=text, **dict.fromkeys(names, text[:40]))
    content = client.get("/activity").content.decode()
    assert "<script>alert" not in content
    page = Page(content)
    assert all(link.startswith(("/", "?", "#")) for link in page.links)
    assert all("src" in script for script in page.all("script"))


def test_it_is_narrowed_by_all_that_its_form_has(client: Client, local: Registry) -> None:
    long_ago = timezone.now() - timedelta(days=40)
    told("1", registry_id=local.pk, act="pull", at=long_ago)
    told("2", registry_id=local.pk, tag="2.0", actor="ben", address="10.0.0.9")
    told("3", registry_id=local.pk, repository="team-x/app", digest_before=D2, digest_after="", act="delete-tag")
    told("4", registry_id=9, registry="edge", source="berth", outcome="failed")
    day = long_ago.date().isoformat()
    for query, count in {
        "": 4,
        "act=pull": 1,
        "act=pushes": 2,
        "act=deletes": 1,
        "act=explode": 4,
        "actor=ben": 1,
        "address=10.0.0.9": 1,
        "repository=team-x/app": 1,
        "repository=team/*": 3,
        "repository=team*": 4,
        "registry=local": 3,
        "registry=edge": 1,
        "registry=none": 0,
        "tag=2.0": 1,
        f"digest={D2}": 1,
        f"digest={D1}": 3,
        "source=berth": 1,
        "outcome=failed": 1,
        f"from={day}&to={day}": 1,
        "to=2001-01-01": 0,
        "from=tomorrow": 4,
        "act=pull&actor=ben": 0,
        "registry=local&repository=team/app&tag=1.0": 1,
    }.items():
        rows = get(client, f"/activity?{query}").all("th", scope="row")
        assert len(rows) == count, query


def test_what_it_is_narrowed_to_is_said_and_taken_away_again(client: Client, local: Registry) -> None:
    told("1")
    page = get(client, "/activity?act=pushes&actor=ci&repository=team/*&from=2026-01-01&nonsense=1")
    assert "Act: Pushes" in page.words
    assert "/activity?repository=team%2F%2A&from=2026-01-01&act=pushes" in page.links
    answer = client.get("/activity?act=gap&tag=&from=&outcome=", headers={"HX-Request": "true"})
    assert answer["HX-Replace-Url"] == "/activity?act=gap"
    part = answer.content.decode()
    assert "<html" not in part
    assert "No entry fits" in part
    assert "Nothing of that kind was recorded" in part
    assert "Names are looked for as a whole" in get(client, "/activity?act=gap&tag=1.0").words


@pytest.mark.parametrize(
    "query", ["", "actor=ci-1&act=pushes", "repository=team/*&from=2026-01-01&act=moves&registry=x"]
)
def test_each_page_takes_ten_queries_at_most(
    client: Client, local: Registry, query: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    many(200)
    with django_assert_max_num_queries(10):
        client.get(f"/activity?{query}")
    with django_assert_max_num_queries(3):  # two of them tell who asks
        client.get(f"/activity/newer?after=1&{query}")


def test_what_is_new_is_said_once(client: Client, local: Registry) -> None:
    first = told("1")
    page = get(client, "/activity?actor=ci")
    (poll,) = page.all("div", id="newer")
    assert poll["hx-get"] == f"/activity/newer?after={first.pk}&actor=ci"
    assert client.get(poll["hx-get"]).status_code == 204
    told("2")
    told("3")
    told("4", actor="ben")
    response = client.get(poll["hx-get"])
    said = Page(response.content.decode())
    assert "2 new entries" in said.words
    assert said.links == ["/activity?actor=ci"]
    (again,) = said.all("div", id="newer")
    assert client.get(again["hx-get"]).status_code == 204
    assert not get(client, "/activity?to=2026-01-01").all("div", id="newer")


def test_who_has_not_signed_in_is_told_of_no_person(local: Registry, settings: Settings) -> None:
    settings.ANONYMOUS_READ = True
    told("1", actor="secret-person", address="10.9.8.7", user_agent="secret-agent")
    for path in ("/activity", "/activity?actor=nobody", "/activity?address=nowhere"):
        page = get(Client(), path)
        assert "pushed team/app:1.0" in page.words
        assert not [said for said in ("secret", "10.9.8.7") if said in page.text]
        assert not page.all("input", name="actor")
    assert Client().get("/activity/newer?after=0&actor=nobody").status_code == 200
    for form in ("csv", "jsonl"):
        assert Client().get(f"/activity.{form}").status_code == 302


def test_who_has_not_signed_in_is_not_told_whom_notices_go_to(client: Client, settings: Settings) -> None:
    settings.ANONYMOUS_READ = True
    told("1", act="notice-add", source="berth", repository="", tag="", detail="ops (ana@example.org)")
    page = get(Client(), "/activity")
    assert "set up notices" in page.words
    assert "ana@example.org" not in page.text
    assert "set up notices to ops (ana@example.org)" in get(client, "/activity").words


def rows_in(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_a_spreadsheet_computes_nothing_of_it(client: Client) -> None:
    for number, text in enumerate(HOSTILE):
        told(str(number), actor=text, user_agent=text, why=text)
    response = client.get("/activity.csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="activity-2')
    content = response.getvalue()
    rows = rows_in(content)
    assert tuple(rows[0]) == FIELDS
    assert len(rows) == len(HOSTILE)
    for row, text in zip(reversed(rows), HOSTILE, strict=True):
        assert row["actor"] in {text, f"'{text}"}
        assert not row["actor"].lstrip("\"' \ufeff").startswith(tuple("=+-@\uff1d")) or row["actor"][0] == "'"
        assert row["actor"][0] not in "\t\r"
    assert content.count(b"\r\n") >= len(HOSTILE) + 1


def test_json_lines_have_all_as_it_is(client: Client) -> None:
    for number, text in enumerate(HOSTILE):
        told(str(number), actor=text, digest_before="")
    response = client.get("/activity.jsonl?tag=1.0")
    entries = [json.loads(line) for line in response.getvalue().decode().splitlines()]
    assert [entry["actor"] for entry in reversed(entries)] == list(HOSTILE)
    assert entries[0]["digest_before"] is None
    assert tuple(entries[0]) == FIELDS
    assert client.get("/activity.jsonl?tag=none").getvalue() == b""
    assert client.head("/activity.csv").status_code == 200


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_file_takes_as_much_memory_for_20_000_entries_as_for_2_000(form: str) -> None:
    few = _peak(form, 2_000)
    assert _peak(form, 18_000) < 1.3 * few


def _peak(form: str, more: int) -> int:
    """Bytes that were held at most while all entries left, after there are so many more."""
    before = Entry.objects.count()
    entries = (Entry(key=f"{before + number}", act="pull", outcome="done") for number in range(more))
    Entry.objects.bulk_create(entries, batch_size=500)
    _whole(form)  # what is loaded once is loaded now
    tracemalloc.start()
    size = _whole(form)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > (before + more) * 60
    return most


def _whole(form: str) -> int:
    return sum(len(lines) for lines in lines_of(EntryFilter(), form))


def test_what_of_a_filter_is_not_understood_is_said(client: Client, local: Registry) -> None:
    told("1")
    for query, said in (
        ("from=yesterday", "“yesterday” is no day and no moment"),
        ("to=2026-13-45", "“2026-13-45” is no day and no moment"),
        ("repository=a*b*c*d*e*f", "No name fits that pattern"),
        ("repository=TEAM/*", "No name fits that pattern"),
    ):
        assert said in get(client, f"/activity?{query}").words
    fine = get(client, "/activity?from=2026-11-27&to=2026-11-28T10:00:00Z&repository=team/*").words
    assert "no day and no moment" not in fine
    assert "No name fits" not in fine
