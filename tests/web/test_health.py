"""The pages of health: how registries stand, what is not well, and who may do what about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.models import Entry
from catalog.models import Presence, Repository, Tag
from cleanup.halting import halt, halted
from cleanup.models import Check, CheckFinding
from jobs.models import Job
from registries.models import Registry
from sync.models import Rule
from tests.sync import furniture as syncing
from tests.web import furniture as make
from tests.web.pages import Page
from tests.web.test_hostile_text import CORPUS

pytestmark = pytest.mark.django_db(databases="__all__")

Code = CheckFinding.Code
HEALTH = "/cleanup/health"


def checked(where: Registry, **more: Any) -> Check:
    now = timezone.now()
    ended = {"state": Check.State.DONE, "began_at": now - timedelta(minutes=5), "ended_at": now, "tags": 7}
    return Check.objects.create(registry=where, **{**ended, **more})


def broken(by: Check, tag: str = "1.0", repository: str = "team/app", **more: Any) -> CheckFinding:
    said = {"code": Code.NO_LAYER, "sentence": "4ada0e7fc5c9 is not there", "part": make.blob_digest("lost")}
    return CheckFinding.objects.create(
        found_by=by, registry=by.registry, repository=repository, tag=tag, **{**said, **more}
    )


def read(client: Client, path: str = HEALTH) -> Page:
    response = client.get(path)
    assert response.status_code == 200
    return Page(response.content.decode())


def test_a_registry_that_nobody_checked_says_so(client: Client, local: Registry) -> None:
    page = read(client)
    assert "Not checked yet" in page.words
    assert "Nobody has looked yet whether its images are whole." in page.words
    assert "Nothing is known to be wrong" in page.words
    assert "Check a sample" not in page.words


def test_a_whole_one_says_when_it_was_checked(client: Client, local: Registry) -> None:
    checked(local, sample=3)
    page = read(client)
    assert "Whole" in page.words
    assert "3 tags of each repository" in page.words
    assert "Nothing is known to be wrong" in page.words


def test_what_was_mended_since_is_not_broken_any_more(client: Client, local: Registry) -> None:
    check = checked(local, broken=2)
    broken(check, is_open=False)
    broken(check, "2.0")
    checked(local, repository="team/app", tags=1)
    page = read(client)
    assert "1 of them still" in page.words
    assert "Broken" in page.words
    CheckFinding.objects.update(is_open=False)
    assert "Whole" in read(client).words


def test_broken_images_are_listed_once_each_with_their_mends(staff_client: Client, local: Registry) -> None:
    check = checked(local, broken=1, is_deep=True)
    broken(check)
    broken(check, code=Code.NO_CONFIG, part=make.blob_digest("another"), sentence="d893960a1760 is not there")
    broken(checked(local, broken=1), "2.0", is_open=False)

    page = read(staff_client)

    assert page.words.count("team/app:1.0") == 1
    assert "A layer is missing" in page.words
    assert "2 faults" in page.words
    assert "team/app:2.0" not in page.words
    assert "Delete" in page.words
    assert "Check again" in page.words


def test_a_tag_that_was_deleted_since_is_not_broken_any_more(client: Client, local: Registry) -> None:
    app = make.repository(local, "team/app")
    make.put(app, make.image(), "1.0")
    broken(checked(local))
    assert "team/app:1.0" in read(client).words
    Tag.objects.filter(name="1.0").update(gone_at=timezone.now())
    assert "team/app:1.0" not in read(client).words


def test_what_a_rule_copied_in_leads_to_the_rule(client: Client, local: Registry, rule: Rule) -> None:
    syncing.synced(rule, "1.0", repository="team/app")
    broken(checked(local))
    broken(checked(local), "2.0")
    page = read(client)
    assert page.words.count("copied in by ") == 1
    assert page.all("a", href=rule.get_absolute_url())


def test_what_scans_found_is_there_too(client: Client, local: Registry) -> None:
    app = make.repository(local, "team/app", problem_count=2)
    make.put(app, make.image(), "half")
    Presence.objects.update(state=Presence.State.INCOMPLETE, problem="linux/arm64 is not here")
    Tag.objects.create(repository=app, name="odd", key=b"odd", problem="it is no JSON")
    make.repository(local, "team/empty", state=Repository.State.EMPTY)

    page = read(client)

    for words in ("team/app:half", "linux/arm64 is not here", "team/app:odd", "it is no JSON", "team/empty"):
        assert words in page.words


def test_the_rest_of_a_kind_is_paged(client: Client, local: Registry) -> None:
    check = checked(local)
    for number in range(40):
        broken(check, f"1.{number}")
    assert "Show all" in read(client).words
    first = read(client, f"{HEALTH}/broken")
    assert "28 of 40 tags" in first.words
    assert client.get(f"{HEALTH}/nothing").status_code == 404


def test_one_registry_is_shown_alone(client: Client, local: Registry) -> None:
    make.registry("edge")
    broken(checked(local))
    page = read(client, f"{HEALTH}?registry=edge")
    assert "team/app:1.0" not in page.words


def test_the_page_costs_few_queries(
    client: Client, local: Registry, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for name in ("edge", "other"):
        where = make.registry(name)
        halt(where, "why")
        check = checked(where)
        for number in range(10):
            broken(check, f"1.{number}")
        make.repository(where, "team/empty", state=Repository.State.EMPTY)
    with django_assert_max_num_queries(10):
        read(client)
    with django_assert_max_num_queries(10):
        read(client, f"{HEALTH}/broken")
    with django_assert_max_num_queries(10):
        read(client, check.get_absolute_url())


@pytest.mark.parametrize(
    ("how", "sample", "is_deep"), [("sample", 3, False), ("all", None, False), ("deep", None, True), ("odd", 3, False)]
)
def test_staff_begin_a_check(
    staff_client: Client, local: Registry, how: str, sample: int | None, *, is_deep: bool
) -> None:
    response = staff_client.post("/cleanup/verify", {"registry": "local", "how": how})
    check = Check.objects.get()
    assert response["Location"] == check.get_absolute_url()
    assert (check.sample, check.is_deep, check.actor) == (sample, is_deep, "staff")
    assert "Waits for a worker" in read(staff_client, check.get_absolute_url()).words

    again = staff_client.post("/cleanup/verify", {"registry": "local", "repository": "team/app"}, follow=True)
    assert "A check of this registry is under way already" in Page(again.content.decode()).words
    assert Check.objects.count() == 1


def test_staff_let_sweeps_run_again(staff_client: Client, client: Client, local: Registry) -> None:
    row = halt(local, "Check 7 found team/app:1.0 broken, which nobody knew: 4ada0e7fc5c9 is not there.")
    assert "Check 7 found team/app:1.0 broken" in read(client).words

    assert client.post("/cleanup/lift", {"halt": row.pk}).status_code == 403
    staff_client.post("/cleanup/lift", {"halt": row.pk})
    assert halted(local) is None
    assert staff_client.post("/cleanup/lift", {"halt": "9" * 30}).status_code == 404
    assert "found broken images in local, and stopped its sweeps" in read(client, "/activity").words


def test_staff_remove_uploads_that_were_left(staff_client: Client, local: Registry) -> None:
    local.storage = "/var/lib/registry"
    local.save()
    make.scan(local, uploads=3, upload_bytes=9_000_000)
    assert "3 uploads that were begun and not ended, 9.0 MB" in read(staff_client).words

    response = staff_client.post("/cleanup/clear-uploads", {"registry": "local"})
    job = Job.objects.get(kind="clear-uploads")
    assert response["Location"] == f"/jobs/{job.pk}"
    assert not Entry.objects.exists()


def test_a_check_says_what_it_found(client: Client, local: Registry) -> None:
    check = checked(local, broken=1, new=1, message="Of 7 tags 1 are broken, and 0 could not be asked for.")
    broken(check, is_new=True)
    broken(check, "", code=Code.UNASKED, sentence="GET v2/x was refused with 500: no reason given", part="")
    page = read(client, check.get_absolute_url())
    for words in ("A layer is missing", "4ada0e7fc5c9 is not there", "Could not be asked for", "new", "2 findings"):
        assert words in page.words


def test_it_speaks_korean(client: Client, local: Registry) -> None:
    check = checked(local, broken=1, message="Of 7 tags 1 are broken, and 0 could not be asked for.")
    broken(check)
    response = client.get(check.get_absolute_url(), headers={"Accept-Language": "ko"})
    words = Page(response.content.decode()).words
    assert "태그 7개 중 1개가 깨졌고 0개는 확인할 수 없었습니다." in words
    assert "4ada0e7fc5c9이(가) 없습니다" in words


def test_what_a_registry_said_is_text(client: Client, local: Registry) -> None:
    check = checked(local, broken=len(CORPUS))
    for number, text in enumerate(CORPUS):
        broken(check, f"1.{number}", sentence=text)
    halt(local, CORPUS[0])
    for path in (f"{HEALTH}/broken", check.get_absolute_url()):
        page = read(client, path)
        for text in CORPUS:
            assert text in page.words
        assert not page.all("img")
        assert not page.all("iframe")
    assert CORPUS[0] in read(client).words
