from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Presence, Repository, Scan, Tag, TagSpan
from jobs.models import Job
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page

QUESTION = {"text": "Lose 212 of 900 tags?", "details": ["a: 180"], "yes": "Yes, gone", "no": "No, keep"}


def see(client: Client, url: str) -> Page:
    response = client.get(url)
    assert response.status_code == 200
    return Page(response.content.decode().replace("\N{NO-BREAK SPACE}", " "))


def names(page: Page) -> list[str]:
    """The tags that are listed, in order."""
    return [link["href"].rpartition("/")[2] for link in page.all("a") if "data-row" in link]


@pytest.fixture
def second(local: Registry) -> Scan:
    """A scan that is not the first, which found two new tags, one that moved and one that went."""
    now = timezone.now()
    make.scan(local, started_at=now - timedelta(hours=2), finished_at=now - timedelta(hours=1), new_tags=3, tags=3)
    began, seen = now - timedelta(minutes=3), now - timedelta(minutes=2)
    app = make.repository(local, "team/app")
    one, two = make.image([("one", 5)]), make.image([("two", 5)])
    make.put(app, one, "moves", "goes")
    make.put(app, two, "new", "back")
    Tag.objects.filter(name="new").update(first_seen=seen)
    Tag.objects.exclude(name="new").update(first_seen=now - timedelta(days=3))
    tags = {tag.name: tag for tag in Tag.objects.all()}
    long_ago = now - timedelta(days=3)
    for name, built, since, until in (
        ("moves", one, long_ago, seen),
        ("moves", two, seen, None),
        ("goes", one, long_ago, seen),
        ("back", one, long_ago, now - timedelta(days=2)),
        ("back", two, seen, None),
        ("new", two, seen, None),
    ):
        TagSpan.objects.create(
            tag=tags[name], repository=tags[name].repository, manifest=built.row, began=since, ended=until
        )
    job = make.job(local, Job.State.DONE, started_at=began)
    return make.scan(
        local, started_at=began, finished_at=now, job=job, new_tags=2, moved_tags=1, gone_tags=1, tags=3, images=2
    )


def address(scan: Scan, query: str = "") -> str:
    return f"/registries/{scan.registry.name}/scans/{scan.pk}{query}"


def test_a_scan_lists_what_it_found_new_moved_and_gone(client: Client, second: Scan) -> None:
    new, moved, gone = (see(client, address(second, f"?show={show}")) for show in ("new", "moved", "gone"))

    assert sorted(names(new)) == ["back", "new"]
    assert new.words.count("back again") == 1
    assert names(moved) == ["moves"]
    before, after = make.image([("one", 5)]).row.digest, make.image([("two", 5)]).row.digest
    links = [link for link in moved.links if "/-/manifests/" in link]
    assert links == [f"/r/local/team/app/-/manifests/{digest}" for digest in (before, after)]
    assert names(gone) == ["goes"]
    assert "New tags 2 not there before Moved 1 to another digest Gone 1 listed no more" in new.words
    assert f"/jobs/{second.job_id}" in new.links


def test_the_first_kind_that_changed_is_shown(client: Client, second: Scan) -> None:
    assert see(client, address(second)).all("a", href="?show=new", **{"aria-current": "true"})
    Scan.objects.filter(pk=second.pk).update(new_tags=0)
    assert see(client, address(second)).all("a", href="?show=moved", **{"aria-current": "true"})


def test_what_did_not_change_is_said(client: Client, local: Registry) -> None:
    page = see(client, address(make.scan(local)))

    assert "No new tag" in page.words
    assert "/r/local" in page.links


def test_of_a_first_reading_nothing_is_listed_until_asked_for(client: Client, second: Scan) -> None:
    Scan.objects.exclude(pk=second.pk).delete()
    Scan.objects.update(new_tags=3, tags=3)

    page = see(client, address(second))

    assert "Everything was new to it" in page.words
    assert names(page) == []
    assert "/r/local" in page.links
    assert sorted(names(see(client, address(second, "?show=new")))) == ["back", "new"]
    assert "1 more could never be read" in see(client, address(second, "?show=new")).words


def test_a_scan_says_how_it_read(client: Client, local: Registry) -> None:
    found = make.scan(local, requests=3120, at_once=6, busy_answers=12, rejected_names=4)
    page = see(client, address(found))

    for words in (
        "Read from its API",
        "3,120 , at most 6 at once".replace(" ,", ","),
        "It said 12 times that it was",
        "4 names that no client could ask for",
        "took 42 s",
    ):
        assert words in page.words


def test_where_the_folder_is_staff_alone_are_told(client: Client, staff_client: Client, local: Registry) -> None:
    Registry.objects.update(storage="/srv/registry-data")
    note = "/srv/registry-data holds what the API lists: 3 digests were compared."
    found = make.scan(local, source=Scan.Source.FOLDER, source_note=note)
    for url in (address(found), "/registries/local", "/registries/local/scans"):
        assert "/srv/registry-data" not in see(client, url).text
    assert "its storage folder holds what the API lists" in see(client, address(found)).words
    assert note in see(staff_client, address(found)).words


def test_a_scan_of_watched_ones_says_so_and_why(client: Client, local: Registry) -> None:
    found = make.scan(local, is_of_watched=True, catalog_refusal="GET v2/_catalog was refused with 401")
    page = see(client, address(found))
    assert "the watched repositories were read" in page.words
    assert "refused with 401" in page.words
    assert "/registries/local/watched" in page.links


def test_what_is_broken_is_listed_where_it_is_now_and_counted_before(client: Client, local: Registry) -> None:
    old = make.scan(local, broken=2, failed_repositories=1)
    make.repository(local, "team/failed", state=Repository.State.FAILED, problem="refused with 500")
    app = make.repository(local, "team/app")
    make.lose_tag(app, "lost", "refused with 404")
    make.put(app, make.image(), "half", state=Presence.State.INCOMPLETE, problem="linux/arm64 is not here")
    make.settle(app)
    new = make.scan(local, broken=2, failed_repositories=1)

    told = (
        "team/failed",
        "refused with 500",
        "team/app:lost",
        "refused with 404",
        "team/app:half",
        "arm64 is not here",
    )
    for words in told:
        assert words in see(client, address(new)).words
        assert words not in see(client, address(old)).words
    for scan in (old, new):
        assert "Problems 3 1 repository not read , 2 broken".replace(" ,", ",") in see(client, address(scan)).words


@pytest.mark.parametrize("state", [Job.State.FAILED, Job.State.STOPPED])
def test_a_scan_that_broke_off_says_what_the_catalog_is(client: Client, second: Scan, state: Job.State) -> None:
    job = make.job(second.registry, state, message="The registry does not answer.")
    now = timezone.now()
    nothing = make.scan(second.registry, job=job, complete=False, started_at=now, finished_at=now)
    page = see(client, address(nothing))
    assert "The catalog is what the scan before left." in page.words
    assert "The registry does not answer." in page.words

    Scan.objects.filter(pk=second.pk).update(complete=False, new_tags=0, moved_tags=0, gone_tags=0)
    page = see(client, address(second))
    assert "What it read until then is in the catalog" in page.words
    assert "New tags 2 not there before Moved 1 to another digest Gone 1 listed no more" in page.words
    assert "The registry does not answer." not in page.words


def test_the_question_of_a_scan_is_asked_wherever_it_is_looked_for(
    client: Client, staff_client: Client, local: Registry
) -> None:
    job = make.job(local, Job.State.ASKING, question=QUESTION)
    asking = make.scan(local, job=job, complete=False)
    for url in (address(asking), "/registries/local", f"/jobs/{job.pk}"):
        page = see(staff_client, url)
        for words in ("Lose 212 of 900 tags?", "a: 180", "Yes, gone", "No, keep"):
            assert words in page.words, url
        assert page.all("form", action=f"/jobs/{job.pk}/answer")
        page = see(client, url)
        assert "Staff can answer" in page.words
        assert not page.all("button", name="answer")


def test_a_scan_under_way_is_followed(client: Client, local: Registry) -> None:
    job = make.job(local)
    found = make.scan(local, job=job, complete=False, finished_at=None)
    page = see(client, address(found))
    assert page.all("div", id=f"strip-{job.pk}", **{"hx-trigger": "every 1s"})
    assert "did not come to its end" not in page.words


def test_a_job_leads_to_the_last_scan_that_it_began(client: Client, local: Registry) -> None:
    job = make.job(local, Job.State.DONE)
    make.scan(local, job=job, complete=False)
    found = make.scan(local, job=job)
    assert address(found) in see(client, f"/jobs/{job.pk}").links
    other = make.job(local, Job.State.DONE, kind="removal")
    assert not [link for link in see(client, f"/jobs/{other.pk}").links if "/scans/" in link]


def test_a_scan_is_found_at_its_own_registry_alone(client: Client, second: Scan) -> None:
    make.registry("other")
    for url in (f"/registries/other/scans/{second.pk}", "/registries/local/scans/0", "/registries/none/scans"):
        assert client.get(url).status_code == 404


def test_the_scans_are_listed_newest_first(client: Client, second: Scan) -> None:
    make.scan(second.registry, job=make.job(second.registry, Job.State.STOPPED), complete=False)
    page = see(client, "/registries/local/scans")
    listed = [link["href"] for link in page.all("a") if "data-row" in link]
    assert listed == [
        f"/registries/local/scans/{pk}" for pk in Scan.objects.newest_first().values_list("pk", flat=True)
    ]
    assert "Stopped" in page.words
    assert "New 2 Moved 1 Gone 1" in page.words


def test_no_scan_yet_says_what_will_come(client: Client, local: Registry) -> None:
    assert "No scan yet" in see(client, "/registries/local/scans").words


def test_many_scans_and_tags_cost_as_many_queries_as_few(
    client: Client, second: Scan, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    app, built = Repository.objects.get(), make.image([("one", 5)])
    for count in (5, 60):
        for number in range(count):
            make.scan(second.registry, job=make.job(second.registry, Job.State.DONE))
            tag = Tag.objects.create(repository=app, name=f"more-{count}-{number}", key=b"")
            TagSpan.objects.create(
                tag=tag, repository=tag.repository, manifest=built.row, began=second.started_at + timedelta(seconds=1)
            )
        with django_assert_num_queries(6):
            see(client, "/registries/local/scans")
        with django_assert_num_queries(7):
            see(client, address(second, "?show=new"))
