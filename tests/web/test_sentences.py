from __future__ import annotations

import ast
import errno
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from catalog.models import Scan
from catalog.policy import Holdings
from catalog.recording.repositories import summary
from catalog.recording.settling import _state
from catalog.removal import StillWorking, check_idle, request_removal
from catalog.scanning.shrinking import question
from jobs import services
from jobs.models import Job
from jobs.running import reason_of
from oci import document, faults, tls
from oci.endpoint import Endpoint
from oci.errors import ForeignRealm, InvalidName, Reason, Refused, RegistryError
from oci.model import parse_manifest
from oci.storage import StorageFolder
from oci.storage.faults import why
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page
from web.scan_page import note_for
from web.sentences import KINDS, SENTENCES, said

ROOT = Path(__file__).resolve().parents[2]
PLACE = re.compile(r"%\((\w+)\)s")
# What stands in a place that only a sentence or a word of ours may take, or that takes no blank.
SAMPLES = {
    "n": "1,316",
    "code": "BLOB_UNKNOWN",
    "platform": "linux/arm64",
    "digest": "sha256:" + "a" * 64,
    "lack": "is missing",
    "cause": "connection refused",
    "document": "the list",
    "pem": "the client certificate",
    "kind": "digest",
    "detail": "words of a stranger",
}
ENGLISH = re.compile(r"\b[A-Z]?[a-z]+ [a-z]{2,}")


def in_korean(text: str) -> str:
    with translation.override("ko"):
        return said(text)


@pytest.mark.parametrize("msgid", SENTENCES)
def test_every_sentence_is_found_again(msgid: str) -> None:
    values = {name: SAMPLES.get(name, f"/{name}7") for name in PLACE.findall(msgid)}
    text = msgid % values if values else msgid
    with translation.override("ko"):
        ours = {name: translation.gettext(value) for name, value in values.items()}
        told = translation.gettext(msgid)
        assert said(text) == (told % ours if values else told)
    with translation.override("en"):
        assert said(text) == text
    if msgid != "%(request)s: %(cause)s":
        assert told != msgid


def test_a_kind_of_name_is_one_of_ours_only_in_its_place() -> None:
    for kind in KINDS:
        told = in_korean(f"'A' is not a valid {kind}")
        assert told.startswith("'A': 올바르지 않은 ")
        assert not ENGLISH.search(told)
        assert in_korean(kind) == kind or kind in SENTENCES
    assert in_korean("'A' is not a valid answer") == "'A' is not a valid answer"


def _noops(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "gettext_noop":
            assert isinstance(node.args[0], ast.Constant)
            yield str(node.args[0].value)


def test_no_sentence_that_is_marked_is_forgotten() -> None:
    marked = {
        msgid
        for app in ("jobs", "registries", "catalog", "notices", "tagging", "sync", "cleanup", "web")
        for path in (ROOT / app).rglob("*.py")
        for msgid in _noops(path.read_text())
    }
    assert marked - KINDS == set(SENTENCES) - KINDS
    assert len(marked) > 100


def _raised(act: Callable[[], object]) -> str:
    with pytest.raises(RegistryError) as caught:
        act()
    return str(caught.value)


def _of_oci(tmp_path: Path) -> Iterator[str]:
    request = "GET v2/team/app/manifests/1"
    for error in (ConnectionRefusedError(), TimeoutError(), OSError()):
        yield str(faults.translate(request, error))
    yield str(Refused.build(request, 500))
    yield str(
        Refused.build("storage team/app@sha256:1", 404, (Reason("BLOB_UNKNOWN", why(OSError(errno.ENOENT, ""))),))
    )
    yield str(ForeignRealm("auth.example.org"))
    yield str(ForeignRealm(""))
    for kind in KINDS:
        yield str(InvalidName(kind, "A B"))
    for code in (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP):
        yield why(OSError(code, ""))
    oci_manifest = "application/vnd.oci.image.manifest.v1+json"
    for content in (
        b"[]",
        b"{",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"schemaVersion": 3}',
        b'{"mediaType": "text/plain"}',
        b'{"manifests": []}',
        b'{"config": 1}',
        b'{"config": {"mediaType": ""}}',
        b'{"config": {"mediaType": "a/b", "digest": "x"}}',
    ):
        yield _raised(lambda content=content: parse_manifest(oci_manifest, content))  # type: ignore[misc]
    yield _raised(lambda: parse_manifest("text/plain", b'{"mediaType": "text/plain"}'))
    yield _raised(lambda: document.load_object(b"," * 600_001, "the image config"))
    yield _raised(lambda: StorageFolder("relative"))
    yield _raised(lambda: StorageFolder(tmp_path / "missing"))
    (tmp_path / "file").touch()
    yield _raised(lambda: StorageFolder(tmp_path))
    yield _raised(lambda: tls.contexts(Endpoint("https://a.example.org", client_key="k")))
    yield _raised(lambda: tls.contexts(Endpoint("https://a.example.org", client_certificate="/nowhere.pem")))
    yield _raised(lambda: tls.contexts(Endpoint("http://a.example.org", client_certificate="c")))
    for authority in ("-----BEGIN x", str(tmp_path), str(tmp_path / "missing"), str(tmp_path / "file")):
        yield _raised(lambda ca=authority: tls.contexts(Endpoint("https://a.example.org", ca=ca)))  # type: ignore[misc]


def test_what_oci_says_is_known_as_it_says_it(tmp_path: Path) -> None:
    for text in _of_oci(tmp_path):
        told = in_korean(text)
        assert re.search("[가-힣]", told), text
        assert said(text) == text


def _of_copies() -> Iterator[str]:
    """What is raised there, with a number wherever something stands in it."""
    for path in (*(ROOT / "oci/transfer").glob("*.py"), ROOT / "oci/stored.py", ROOT / "sync/engine.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                text = node.exc.args[0]
                if isinstance(text, ast.Constant):
                    yield str(text.value)
                elif isinstance(text, ast.JoinedStr):
                    yield "".join(str(part.value) if isinstance(part, ast.Constant) else "1316" for part in text.values)


def test_what_goes_wrong_in_a_copy_is_known_as_it_is_said() -> None:
    said_there = list(_of_copies())
    assert len(said_there) > 15
    for text in said_there:
        assert re.search("[가-힣]", in_korean(text)), text


def test_the_words_of_a_registry_are_left_as_they_are() -> None:
    refusal = str(Refused.build("GET v2/a/tags/list", 500, (Reason("UNKNOWN", "connection refused"), Reason("A", "b"))))
    told = in_korean(refusal)
    assert told == "GET v2/a/tags/list 요청이 500 응답으로 거부되었습니다: UNKNOWN connection refused; A b"
    for verbatim in (
        "blob upload unknown",
        "a: b",
        "; ",
        "",
        "no basic auth credentials",
        "NAME_UNKNOWN a; b",
        "100 % x",
    ):
        assert in_korean(verbatim) == verbatim


def test_one_sentence_may_hold_another() -> None:
    failure = "GET v2/a/blobs/sha256:1: no trusted TLS connection: self-signed; no more"
    told = in_korean(f"25 requests in a row got no answer, the last one: {failure}")
    assert "신뢰할 수 있는 TLS 연결을 맺지 못했습니다: self-signed; no more" in told
    assert "요청 25개" in told
    title = in_korean("“Scan of local” is not over yet. Stop it on the jobs page, then remove local.")
    assert "local 스캔" in title
    assert in_korean("storage a/b:1: its link is empty") == "storage a/b:1: 링크가 비어 있습니다"


def test_what_is_missing_of_an_index_is_told_one_by_one() -> None:
    digests = [f"sha256:{n:064x}" for n in range(6)]
    absent = [(digests[0], "linux/amd64"), (digests[1], "linux/arm64/v8"), *((digest, "") for digest in digests[2:])]
    missing = {digests[0]: "is not in this repository", digests[1]: "GET v2/a/manifests/b: no answer in time"}
    problem = _state(absent, missing)[1]
    assert problem == (
        "linux/amd64 is not in this repository; linux/arm64/v8 GET v2/a/manifests/b: no answer in time;"
        f" {digests[2][:19]} is missing and 3 more"
    )
    assert in_korean(problem) == (
        "linux/amd64: 이 리포지토리에 없습니다; linux/arm64/v8: GET v2/a/manifests/b: 제한 시간 안에 응답이 없습니다;"
        f" {digests[2][:19]}: 누락되었습니다 외 3개"
    )


@pytest.mark.parametrize(
    "text",
    [
        "a: " * 660,
        "a; " * 660,
        "a and 1 " * 240,
        "1" * 2_000,
        "a was refused with 1: " * 90,
        "linux/a is missing; " * 99,
        "linux/a linux/a " * 120,
        "the manifest is malformed: " * 70,
        "the list has more than 1 " * 80,
        "its config could not be read: " * 66,
        "x" * 10**6,
        "is missing; " * 10**5,
        "\n" * 1_999,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    began = time.perf_counter()
    told = in_korean(text)
    assert time.perf_counter() - began < 2  # what went through it again and again would hang
    if len(text) > 2_000:
        assert told == text


@pytest.mark.parametrize(("failed", "rejected"), [(0, 0), (2, 0), (0, 1), (2, 1_234)])
def test_how_a_scan_ended(failed: int, rejected: int) -> None:
    scan = Scan(repositories=19, tags=1_316, new_tags=3, moved_tags=1, gone_tags=0)
    scan.failed_repositories, scan.rejected_names = failed, rejected
    text = summary(scan)
    more = f"; {failed} repositories could not be read" if failed else ""
    more += f"; {rejected:,} names break the grammar and were left out" if rejected else ""
    assert text == f"19 repositories, 1,316 tags: 3 new, 1 moved, 0 gone{more}."
    told = in_korean(text)
    assert "리포지토리 19개, 태그 1,316개: 추가 3개, 이동 1개, 사라짐 0개" in told
    assert not ENGLISH.search(told)


@pytest.fixture
def korean(client: Client) -> Callable[[str], str]:
    """What stands on a page, without the bar above it."""

    def see(url: str) -> str:
        with translation.override("en"):  # else what a request speaks stays on in this thread
            response = client.get(url, headers={"Accept-Language": "ko"})
        assert response.status_code == 200
        return Page(response.content.decode()).words.partition("로그아웃")[2]

    return see


def _job(local: Registry, state: Job.State, **fields: Any) -> Job:
    return make.job(local, state, title="Scan of local", **fields)


def test_the_list_of_jobs_is_korean(korean: Callable[[str], str], local: Registry) -> None:
    ended = {"started_at": timezone.now(), "finished_at": timezone.now()}
    for state, message in (
        (Job.State.FAILED, reason_of(ValueError("x"))),
        (Job.State.FAILED, "Its worker died 5 times. It can be run again."),
        (Job.State.STOPPED, "Stopped. What was done until then stays."),
        (Job.State.DONE, summary(Scan(repositories=1, tags=2))),
    ):
        _job(local, state, message=message, **ended)
    stopped = _job(local, Job.State.QUEUED)
    assert services.stop(stopped)
    stopped.refresh_from_db()
    assert stopped.message == "Stopped before it began."
    main = korean("/jobs")
    for words in (
        "local 스캔",
        "대기열 등록",
        "시작되기 전에 중지되었습니다.",
        "Berth 자체에서 오류가 발생했습니다(ValueError).",
    ):
        assert words in main, main
    assert not ENGLISH.search(main), ENGLISH.search(main)


def test_the_page_of_a_failed_scan_is_korean(korean: Callable[[str], str], local: Registry) -> None:
    message = "25 requests in a row got no answer, the last one: GET v2/_catalog: connection refused"
    job = _job(local, Job.State.FAILED, message=message, started_at=timezone.now(), finished_at=timezone.now())
    scan = make.scan(local, job=job, complete=False, finished_at=timezone.now())
    Scan.objects.filter(pk=scan.pk).update(
        source_note="The storage folder /srv/x cannot be used: it may not be read. Name the folder that the registry's"
        " configuration calls rootdirectory, and let Berth read it."
    )
    for url in (f"/jobs/{job.pk}", reverse("scan", args=[local.name, scan.pk])):
        words = korean(url)
        assert "연결이 거부되었습니다" in words
        assert not ENGLISH.search(words), ENGLISH.search(words)


def test_a_question_is_korean_and_kept_in_english(korean: Callable[[str], str], local: Registry) -> None:
    asked = question(Holdings(212, 1_900), Holdings(900, 2_000))
    assert asked["text"] == (
        "The registry lists 212 of 900 repositories and 1,900 of 2,000 tags no longer. Is that right?"
    )
    job = _job(local, Job.State.ASKING, question=asked)
    words = korean(f"/jobs/{job.pk}")
    assert "리포지토리 900개 중 212개와 태그 2,000개 중 1,900개가" in words
    assert not ENGLISH.search(words), ENGLISH.search(words)
    with pytest.raises(StillWorking, match="Scan of local"):
        check_idle(local)


def test_what_is_said_is_escaped(client: Client, local: Registry) -> None:
    message = "its config could not be read: <script>alert(1)</script>"
    job = _job(local, Job.State.FAILED, message=message, started_at=timezone.now(), finished_at=timezone.now())
    with translation.override("en"):
        content = client.get(f"/jobs/{job.pk}", headers={"Accept-Language": "ko"}).content.decode()
    assert "구성(config)을 읽지 못했습니다: &lt;script&gt;" in content
    assert "<script>alert" not in content


def test_where_the_folder_is_only_staff_are_told_in_korean_too(local: Registry) -> None:
    local.storage = "/srv/secret"
    scan = Scan(
        registry=local, source_note="The storage folder /srv/secret was taken away or replaced while it was read"
    )
    with translation.override("ko"):
        assert "/srv/secret" in note_for(scan, sees_paths=True)
        assert "/srv/secret" not in note_for(scan, sees_paths=False)
        assert "교체되었습니다" in note_for(scan, sees_paths=False)


def test_what_a_korean_asks_for_is_kept_in_english(local: Registry) -> None:
    with translation.override("ko"):
        job = request_removal(local)
        assert job.title == "Removal of local"
        assert said(job.title) == "local 제거"
