"""The pages of storage: what they tell adds up, and what is not known is not told."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import LargeImage, Presence, RepeatedImage, Repository, Scan, StorageDay
from catalog.reads.growth import Growth
from cleanup.models import RetentionRun
from registries.models import Registry
from tests.web import furniture as make
from tests.web import harbour_retention
from tests.web.pages import Page
from web.storage.growth_line import GrowthLine
from web.storage.places import cells_of, registries_as_places

PAGE = "/storage/local"
MB = 1_000_000


def see(client: Client, url: str = PAGE) -> Page:
    response = client.get(url)
    assert response.status_code == 200
    return Page(response.content.decode().replace("\N{NO-BREAK SPACE}", " "))


@pytest.fixture
def counted(local: Registry) -> Registry:
    """A namespace and a repository beside it, which share 30 MB."""
    begin = timezone.now() - timedelta(hours=1)
    make.namespace(local, "team", pushed=300 * MB, stored=130 * MB, unique=100 * MB, repositories=2)
    make.namespace(local, "", pushed=60 * MB, stored=50 * MB, unique=20 * MB)
    big = {"size": 90 * MB, "unique": 70 * MB, "pushed": 200 * MB, "tag_count": 3}
    rows = {"team/app": big, "team/web": {"size": 60 * MB, "unique": 20 * MB, "pushed": 100 * MB}}
    rows["tool"] = {"size": 50 * MB, "unique": 20 * MB, "pushed": 60 * MB}
    for name, sums in rows.items():
        make.repository(local, name, first_seen=begin, **sums)
    make.scan(local, pushed=360 * MB, stored=150 * MB, shared=30 * MB, repositories=3, images=5, tags=7)
    large(local, image("tool", "base"), 50 * MB, 20 * MB)
    return local


def image(repository: str, tag: str, built: make.Built | None = None) -> Presence:
    return make.put(Repository.objects.get(name=repository), built or make.image([(tag, 9 * MB)]), tag)


def large(where: Registry, presence: Presence, size: int, unique: int) -> None:
    LargeImage.objects.create(registry=where, presence=presence, size=size, unique=unique)


def test_what_is_stored_adds_up(client: Client, counted: Registry) -> None:
    page = see(client)
    assert "Stored 150 MB" in page.words
    assert "120 MB in one namespace only 30.0 MB in several, counted once 210 MB saved by shared layers" in page.words
    assert "team/ 2 repositories Only here 100 MB Shared 30.0 MB Saved 170 MB 300 MB" in page.words
    assert "tool Only here 20.0 MB Shared 30.0 MB Saved 10.0 MB 60.0 MB" in page.words
    assert "Used by several stays while one of them needs it Shared 30.0 MB" in page.words
    assert "Together Stored 150 MB Saved 210 MB 360 MB" in page.words
    drawn = [svg for svg in page.all("svg") if "%" in svg.get("x", "")]
    area = sum(float(svg["width"].rstrip("%")) * float(svg["height"].rstrip("%")) for svg in drawn)
    assert area == pytest.approx(100 * 100, rel=0.001)
    assert page.words.count("team/: 100 MB only here") == 1
    assert see(client, "/storage").words == page.words  # there is only one registry


def test_a_namespace_is_looked_into(client: Client, counted: Registry) -> None:
    assert "/storage/local?namespace=team" in see(client).links
    page = see(client, f"{PAGE}?namespace=team")
    assert "app Only here 70.0 MB Shared 20.0 MB Saved 110 MB 200 MB" in page.words
    assert "Used by several stays while one of them needs it Shared 40.0 MB" in page.words
    assert "Together Stored 130 MB" in page.words
    assert "/r/local/team/app" in page.links
    assert "Growth" not in page.words
    assert "No such namespace" in see(client, f"{PAGE}?namespace=nowhere").words
    assert "No such namespace" in see(client, f"{PAGE}?namespace=%27%22%3Cb%3E").words


def test_what_only_the_folder_tells_is_there_when_a_scan_has_looked(client: Client, counted: Registry) -> None:
    assert "On its disk" not in see(client).words
    disk = {"disk_bytes": 200 * MB, "disk_blobs": 12, "uploads": 0, "upload_bytes": 0, "untagged_manifests": 1}
    make.scan(counted, pushed=360 * MB, stored=150 * MB, repositories=3, **disk)
    words = see(client).words
    assert "200 MB 12 blobs" in words
    assert "The rest 50.0 MB manifests, and what no tagged image uses" in words
    assert "1 manifest that no tag reaches" in words
    assert "none under way" in words


def test_before_a_scan_has_ended_it_says_what_to_do(client: Client, local: Registry) -> None:
    for url in ("/storage", PAGE):
        page = see(client, url)
        assert "Nothing is counted yet" in page.words
        assert "/registries/local" in page.links
        assert "0 B" not in page.words


def test_without_a_registry_it_says_so(client: Client) -> None:
    assert "No registry yet" in see(client, "/storage").words


def test_an_empty_registry_has_nothing_to_draw(client: Client, local: Registry) -> None:
    make.scan(local)
    page = see(client)
    assert "Nothing is stored" in page.words
    assert not page.all("svg", role="group")


def test_several_registries_stand_side_by_side(client: Client, counted: Registry) -> None:
    make.scan(make.registry("other"), stored=50 * MB, pushed=70 * MB, repositories=4)
    make.registry("fresh")
    page = see(client, "/storage")
    assert "Stored 200 MB" in page.words
    assert "local 3 repositories Only here 150 MB" in page.words
    assert "other 4 repositories Only here 50.0 MB Shared 0 B Saved 20.0 MB 70.0 MB" in page.words
    assert "Not counted yet fresh" in page.words
    assert "/storage/other" in page.links


def test_growth_is_drawn_from_the_second_day_on(client: Client, counted: Registry) -> None:
    today = timezone.now().astimezone(UTC).date()
    sums = dict.fromkeys(("repositories", "tags", "images", "pushed", "shared"), 0)
    assert "From the second day on" in see(client).words
    for ago, stored in ((20, 190 * MB), (0, 150 * MB)):
        StorageDay.objects.create(registry=counted, day=today - timedelta(days=ago), stored=stored, **sums)
    page = see(client)
    assert "\N{MINUS SIGN}40.0 MB since" in page.words
    [drawn] = [svg["aria-label"] for svg in page.all("svg", role="img") if "at most" in svg.get("aria-label", "")]
    assert drawn == "Stored: 190 MB at first, 150 MB now, 190 MB at most"
    assert [path["d"] for path in page.all("path", **{"class": "line"})] == ["M0 6L300 26"]


def names(page: Page) -> list[str]:
    return [link["href"] for link in page.all("a", **{"data-row": ""})]


def test_repositories_are_sorted_by_what_each_has_alone(client: Client, counted: Registry) -> None:
    url = f"{PAGE}/repositories"
    page = see(client, url)
    assert names(page)[0] == "/r/local/team/app"
    assert "team/app 3 tags Only here 70.0 MB Shared 20.0 MB Saved 110 MB 90.0 MB" in page.words
    assert names(see(client, f"{url}?sort=-size"))[0] == "/r/local/tool"
    assert names(see(client, f"{url}?sort=name")) == ["/r/local/team/app", "/r/local/team/web", "/r/local/tool"]
    assert names(see(client, f"{url}?namespace=team")) == ["/r/local/team/app", "/r/local/team/web"]
    make.repository(counted, "team/new", size=5 * MB)
    assert "team/new 0 tags · the next scan counts what is shared Saved 0 B 5.0 MB" in see(client, url).words


def test_what_an_older_berth_did_not_count_is_not_told(client: Client, counted: Registry) -> None:
    LargeImage.objects.all().delete()
    assert "Only here 70.0 MB" not in see(client, f"{PAGE}/repositories").words
    page = see(client)
    assert "The next scan that comes to its end counts what each namespace and repository has alone." in page.words
    assert "Stored 150 MB" in page.words
    assert "Used by several" not in page.words


def test_the_table_is_a_file_too(client: Client, counted: Registry) -> None:
    make.repository(counted, "team/new", size=5)
    response: Any = client.get(f"{PAGE}/repositories.csv?namespace=team")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="storage-local-20')
    head, app, new, web = csv.reader(io.StringIO(b"".join(response).decode()))
    assert head[:3] == ["registry", "repository", "tags"]
    sums = {name: int(value) for name, value in zip(head[4:9], app[4:9], strict=True)}
    assert sums["pushed"] == sums["unique"] + sums["shared"] + sums["saved"] == 200 * MB
    assert (app[1], web[1]) == ("team/app", "team/web")
    assert new[5:8] == ["5", "", ""]


def test_the_largest_images_say_what_each_has_alone(client: Client, counted: Registry) -> None:
    url = f"{PAGE}/images"
    LargeImage.objects.all().delete()
    assert "No image yet" in see(client, url).words
    for name, size, unique in (("team/app", 40, 5), ("tool", 30, 30)):
        large(counted, image(name, "1.0"), size * MB, unique * MB)
    going = image("team/web", "going")
    large(counted, going, 90 * MB, 0)
    Presence.objects.filter(pk=going.pk).update(tag_count=0)
    page = see(client, url)
    assert names(page) == ["/r/local/team/app/-/tags/1.0", "/r/local/tool/-/tags/1.0"]
    assert "Only here 5.0 MB Shared 35.0 MB 40.0 MB" in page.words
    assert names(see(client, f"{url}?sort=unique"))[0] == "/r/local/tool/-/tags/1.0"
    assert names(see(client, f"{url}?namespace=team")) == ["/r/local/team/app/-/tags/1.0"]
    assert "None of the 100 largest" in see(client, f"{url}?namespace=nowhere").words


def test_what_several_repositories_hold_is_told_with_its_bytes_once(client: Client, counted: Registry) -> None:
    url = f"{PAGE}/repeated"
    assert "Nothing stands twice" in see(client, url).words
    built = make.image()
    one, two = image("team/app", "1.0", built), image("tool", "stable", built)
    by, sums = RepeatedImage.By, {"size": 40 * MB, "spared": 120 * MB}
    RepeatedImage.objects.create(registry=counted, by=by.DIGEST, first=one, last=two, repositories=4, **sums)
    RepeatedImage.objects.create(registry=counted, by=by.LAYERS, first=one, last=one, repositories=2, size=1, spared=1)
    page = see(client, url)
    assert "team/app:1.0 tool:stable and in 2 more" in page.words
    assert "Repositories 4 Stored once 40.0 MB 120 MB" in page.words
    assert f"/r/local/team/app/-/manifests/{built.row.digest}" in page.links
    assert "team/app:1.0 and in 1 more the layers, not the digest: separate builds" in page.words


@pytest.mark.parametrize(
    "url",
    ["/storage", PAGE, f"{PAGE}?namespace=team", f"{PAGE}/repositories", f"{PAGE}/images", f"{PAGE}/repeated"],
)
def test_a_page_costs_ten_queries_at_most(
    client: Client, counted: Registry, url: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(40):
        make.namespace(counted, f"n{number}")
        make.repository(counted, f"r{number}")
    one, two = image("team/app", "1"), image("tool", "1")
    large(counted, one, 5, 5)
    large(counted, two, 5, 5)
    RepeatedImage.objects.create(registry=counted, by="layers", first=one, last=two, repositories=2, size=5, spared=5)
    with django_assert_max_num_queries(10):
        see(client, url)


def test_what_policies_would_free_leads_to_their_plans(client: Client, counted: Registry) -> None:
    assert "No retention policy has a plan yet." in see(client, PAGE).words
    run = harbour_retention.run(counted, RetentionRun.State.PLANNED, frees=2 * MB)
    at = harbour_retention.place(run, Repository.objects.get(name="tool"), policy="releases")
    harbour_retention.tags(at, "1")

    for url in ("/storage", PAGE):
        page = see(client, url)
        assert "releases 2.0 MB 1 tag" in page.words
        assert run.get_absolute_url() in page.links


@pytest.mark.any_database
def test_what_cannot_be_seen_is_not_drawn() -> None:
    scans = [Scan(registry=Registry(name=f"r{size}"), stored=size) for size in (0, 1, 100_000)]
    assert [cell.place.name for cell in cells_of(registries_as_places(scans))] == ["r100000"]
    assert cells_of([]) == []


@pytest.mark.any_database
def test_a_line_has_few_points_however_many_days_there_are() -> None:
    first = date(2026, 1, 1)
    days = tuple((first + timedelta(days=number), 2**63 - 1) for number in range(1_000))
    line = GrowthLine.of(Growth(days)).line
    assert line.count("L") <= 90
    assert line.endswith("L300 6")
