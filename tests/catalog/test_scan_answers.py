"""Whatever a registry answers, or does not, a scan ends in bounded requests and time: rows S08 and S09."""

from __future__ import annotations

import gzip
import time
from itertools import count

import pytest

from catalog.models import Manifest, Presence, Repository, Tag
from jobs.models import Job
from oci.transport import Transport
from registries.clients import client_for
from registries.models import Registry
from tests.catalog.picture import check_counters, picture
from tests.catalog.scanning import last_scan, scan
from tests.catalog.serving import digest_of, live, nothing_is_gone, serve
from tests.hostile import Asked, Hostile, Raw, Reply

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


@pytest.fixture
def row(hostile_row: Registry) -> Registry:
    return hostile_row


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines of less than a second instead of a minute."""
    defaults = Transport.__init__.__kwdefaults__ or {}
    for name in ("connect", "read", "total"):
        monkeypatch.setitem(defaults, name, 0.4)


STRANGE: dict[str, Reply | Raw] = {
    "HTML": Reply(200, b"<html>sign in</html>", {"Content-Type": "text/html"}),
    "another type": Reply.json([["app"]]),
    "null": Reply.json(None),
    "no body": Reply(200, b""),
    "204": Reply(204),
    "206": Reply(206, b"{}"),
    "500": Reply(500, b"oh no"),
    "503": Reply(503, b"", {"Retry-After": "0"}),
    "429": Reply.errors(429, "TOOMANYREQUESTS", Retry_After="0"),
    "a redirect": Reply.redirect("/login", 302),
    "no end": Reply(200, b'{"tags": ["1"', announced=1000),
    "no HTTP": Raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "nothing": Raw(b""),
    "brackets": Reply(200, b"[" * 100_000, {"Content-Type": "application/json"}),
    "a bomb": Reply(200, gzip.compress(b"0" * 2**25), {"Content-Encoding": "gzip"}),
}
each_strange = pytest.mark.parametrize("answer", STRANGE.values(), ids=STRANGE)
TRIES = 3


@each_strange
def test_s08_a_catalog_that_is_none_fails_the_scan_and_changes_nothing(
    row: Registry, hostile: Hostile, answer: Reply | Raw
) -> None:
    serve(hostile, app=["1", "2"])
    scan(row)
    before, asked = picture(), len(hostile.requests)
    hostile.on("GET", "/v2/_catalog", answer)

    job = scan(row)

    assert job.state == Job.State.FAILED
    assert job.message
    assert "mistake" not in job.message
    assert len(hostile.requests) - asked <= 2 * TRIES
    assert picture() == before
    assert last_scan().finished_at is not None


@each_strange
def test_s08_tags_that_are_none_are_a_fact_of_one_repository(
    row: Registry, hostile: Hostile, answer: Reply | Raw
) -> None:
    serve(hostile, app=["1", "2"], good=["1"])
    scan(row)
    asked = len(hostile.requests)
    hostile.on("GET", "/v2/app/tags/list", answer)

    assert scan(row).state == Job.State.DONE

    app = Repository.objects.get(name="app")
    assert (app.state, app.tag_count) == (Repository.State.FAILED, 2)
    assert app.problem
    assert len(hostile.requests) - asked <= 3 + 2 * TRIES
    assert nothing_is_gone()


@each_strange
def test_s08_a_manifest_that_is_none_is_a_fact_of_one_tag(row: Registry, hostile: Hostile, answer: Reply | Raw) -> None:
    serve(hostile, app=["1", "2"])
    scan(row)
    held = Presence.objects.get()
    asked = len(hostile.requests)
    hostile.on("GET", "/v2/app/manifests/1", answer)

    assert scan(row).state == Job.State.DONE

    tag = Tag.objects.get(name="1")
    # Bytes that came whole, with a status of 200, are what it points to now, however little sense they make.
    if tag.presence != held:
        assert tag.presence is not None
        assert tag.presence.state == Presence.State.UNREADABLE
    else:
        assert tag.problem
    assert len(hostile.requests) - asked <= 4 + 2 * TRIES
    assert live() == {("app", "1"), ("app", "2")}
    check_counters()


@each_strange
def test_s08_a_config_that_is_none_is_a_fact_of_one_image(row: Registry, hostile: Hostile, answer: Reply | Raw) -> None:
    serve(hostile, app=["1"])
    path = f"/v2/app/blobs/{digest_of(b'{}')}"
    hostile.on("GET", path, answer)

    assert scan(row).state == Job.State.DONE

    assert Presence.objects.get().state == Presence.State.NO_CONFIG
    assert len(hostile.asked(path)) <= 2 * TRIES
    hostile.on("GET", path, Reply(200, b"{}"))
    scan(row)
    assert Presence.objects.get().state == Presence.State.WHOLE
    assert Manifest.objects.get().config_state == "read"


@pytest.mark.parametrize("path", ["/v2/_catalog", "/v2/app/tags/list", "/v2/app/manifests/1"])
def test_s08_a_registry_that_wants_to_be_left_alone_for_an_hour_is_not_waited_for(
    row: Registry, hostile: Hostile, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oci.pace.LONGEST_PAUSE", 0.1)
    serve(hostile, app=["1", "2"])
    scan(row)
    before = live()
    hostile.on("GET", path, Reply.errors(429, "TOOMANYREQUESTS", Retry_After="3600"))
    asked = len(hostile.asked(path))

    job = scan(row)

    assert job.state == (Job.State.FAILED if path == "/v2/_catalog" else Job.State.DONE)
    assert len(hostile.asked(path)) == asked + 1
    assert live() == before
    assert last_scan().busy_answers == 1


def test_what_others_were_refused_is_not_the_scan_s(hostile_row: Registry, hostile: Hostile) -> None:
    Registry.objects.update(at_once=2)
    hostile_row.refresh_from_db()
    with client_for(hostile_row) as other:
        other.transport.pace.enter()
        other.transport.pace.leave("", 0.0, 429)
    scan(hostile_row)

    assert (last_scan().busy_answers, last_scan().at_once <= 2) == (0, True)


@pytest.mark.parametrize(
    "answer",
    [Raw(b""), Reply.errors(429, "TOOMANYREQUESTS", Retry_After="0"), Reply(503, b"", {"Retry-After": "0"})],
    ids=["silence", "429", "503"],
)
def test_s08_a_registry_that_answers_nobody_any_more_is_left_after_a_while(
    row: Registry, hostile: Hostile, answer: Reply | Raw
) -> None:
    tags = [str(number) for number in range(200)]
    serve(hostile, app=tags, good=["1"])
    scan(row)
    before, asked = picture(), len(hostile.requests)
    for tag in tags:
        hostile.on("GET", f"/v2/app/manifests/{tag}", answer)

    job = scan(row)

    assert job.state == Job.State.FAILED
    assert "25 requests in a row" in job.message
    assert len(hostile.requests) - asked < 150
    assert picture() == before
    assert last_scan().at_once < 4  # of the four that a scan begins with


@pytest.mark.parametrize("path", ["/v2/_catalog", "/v2/app/tags/list"])
@pytest.mark.parametrize("circle", [True, False])
def test_s08_pages_without_end_are_read_to_a_bound(
    row: Registry, hostile: Hostile, monkeypatch: pytest.MonkeyPatch, path: str, *, circle: bool
) -> None:
    monkeypatch.setattr("oci.client.MOST_PAGES", 20)
    serve(hostile, app=["1", "2"])
    scan(row)
    before, pages = live(), count(1)

    def page(_: Asked) -> Reply:
        number = 1 if circle else next(pages)
        listed = {"repositories": ["app", f"r{number}"], "tags": ["1", f"t{number}"]}
        return Reply.json(listed, Link=f'<{path}?n=1&last={number}>; rel="next"')

    hostile.on("GET", path, page)
    asked = len(hostile.asked(path))

    job = scan(row)

    assert len(hostile.asked(path)) - asked <= 22
    problem = Repository.objects.get(name="app").problem or job.message
    assert ("in a circle" if circle else "more than 20 pages") in problem
    assert live() == before


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, b" " * 1000, {"Content-Type": "application/json"}, pause=0.05),
        Raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000, pause=0.05),
        Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 300, pause=0.02),
        Reply(200, b"{}", delay=30),
    ],
    ids=["a body that drips", "headers without end", "chunks without end", "silence"],
)
@pytest.mark.parametrize("path", ["/v2/slow/tags/list", "/v2/slow/manifests/1", f"/v2/slow/blobs/{digest_of(b'{}')}"])
def test_s09_whatever_drips_ends_at_its_deadline_and_the_rest_is_read(
    row: Registry, hostile: Hostile, answer: Reply | Raw, path: str
) -> None:
    serve(hostile, good=["1", "2"], slow=["1"])
    hostile.on("GET", path, answer)
    began = time.monotonic()

    assert scan(row).state == Job.State.DONE

    assert time.monotonic() - began < 8
    assert live() >= {("good", "1"), ("good", "2")}
    assert Presence.objects.get(repository__name="good").state == Presence.State.WHOLE
    assert nothing_is_gone()
