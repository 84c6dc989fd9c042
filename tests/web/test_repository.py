from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Manifest, Presence, Repository, Tag
from registries.models import Registry
from tagging.models import ProtectionRule
from tests.tagging import furniture as tagging
from tests.web import furniture as make
from tests.web.pages import Page

URL = "/r/local/team/app"


def see(client: Client, url: str = URL, **headers: str) -> Page:
    response = client.get(url, headers=headers)
    assert response.status_code == 200
    return Page(response.content.decode())


def leads(page: Page) -> list[str]:
    return [link["href"].rpartition("/")[2] for link in page.all("a") if "data-row" in link]


@pytest.fixture
def app(local: Registry) -> Repository:
    return make.repository(local, "team/app")


def test_tags_of_one_digest_share_a_row(client: Client, app: Repository) -> None:
    built = make.image()
    make.put(app, built, "1.4.2", "latest", "1.4", "1")
    make.put(app, make.image([("other", 1)]), "1.4.1", dated=timezone.now() - timedelta(days=1))
    page = see(client, URL)
    assert leads(page) == ["1.4.2", "1.4.1"]
    for alias in ("latest", "1.4", "1"):
        assert f"{URL}/-/tags/{alias}" in page.links
    assert f"{URL}/-/manifests/{built.row.digest}" in page.links
    assert len(page.all("button", **{"aria-label": "Copy the whole digest"})) == 2
    assert "1.4.1 same image as" not in page.words


def test_protected_tags_have_a_lock(client: Client, app: Repository) -> None:
    make.put(app, make.image(), "1.4.2", "latest", "v1")
    tagging.protection_rule(app.registry)
    page = see(client)
    (lock,) = page.all("span", **{"class": "lock"})
    assert lock["title"] == "it is protected by the rule *:v*"
    assert "v1 (it is protected by the rule" in page.words
    tag = see(client, f"{URL}/-/tags/v1")
    assert len(tag.all("span", title=lock["title"])) == 1
    assert "Protected: it is protected by the rule *:v*" in tag.words
    assert len(see(client, f"{URL}/-/tags/1.4.2").all("span", title=lock["title"])) == 1
    ProtectionRule.objects.update(repositories="other/*")
    assert see(client).all("span", **{"class": "lock"}) == []


def test_many_aliases_are_folded_and_counted(client: Client, app: Repository) -> None:
    make.put(app, make.image(), "v", *[f"v{number:03}" for number in range(200)])
    page = see(client)
    assert len([link for link in page.links if "/-/tags/v" in link]) == 40
    assert "+194" in page.words
    assert "and 161 more" in page.words


def test_the_pull_command_names_the_newest(client: Client, app: Repository) -> None:
    make.put(app, make.image(), "2.0")
    make.settle(app)
    page = see(client)
    assert page.all("button", **{"data-copy": "docker pull registry.example.org/team/app:2.0"})


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", ["1.10", "1.9", "1.2"]),
        ("-date", ["1.2", "1.9", "1.10"]),
        ("tag", ["1.2", "1.9", "1.10"]),
        ("-tag", ["1.10", "1.9", "1.2"]),
        ("size", ["1.2", "1.10", "1.9"]),
    ],
)
def test_images_are_sorted_as_versions_dates_and_sizes(
    client: Client, app: Repository, sort: str, expected: list[str]
) -> None:
    for days, (tag, size) in enumerate([("1.10", 500), ("1.9", 50), ("1.2", 5000)]):
        make.put(app, make.image([(tag, size)]), tag, dated=timezone.now() - timedelta(days=days))
    assert leads(see(client, f"{URL}?sort={sort}")) == expected


def test_the_filter_finds_an_image_by_any_of_its_tags(client: Client, app: Repository) -> None:
    make.put(app, make.image([("a", 1)]), "1.27.3", "latest", "Stable")
    make.put(app, make.image([("b", 1)]), "nightly")
    assert leads(see(client, f"{URL}?q=stab")) == ["1.27.3"]
    assert leads(see(client, f"{URL}?q=%25")) == []
    part = see(client, f"{URL}?q=stab", **{"HX-Request": "true"})
    assert leads(part) == ["1.27.3"]
    assert not part.all("html")
    assert "No tag fits" in see(client, f"{URL}?q=zzz").words


def test_kinds_are_told_apart_and_what_is_attached_has_its_own_list(client: Client, app: Repository) -> None:
    built = make.image([("a", 1)])
    make.put(app, built, "1.0")
    make.put(app, make.image([("c", 1)], kind=Manifest.Kind.CHART), "chart")
    signature = built.row.digest.replace(":", "-") + ".sig"
    make.put(app, make.image([("s", 1)], kind=Manifest.Kind.SIGNATURE), signature)
    assert sorted(leads(see(client))) == ["1.0", "chart"]
    assert leads(see(client, f"{URL}?kind=charts")) == ["chart"]
    assert leads(see(client, f"{URL}?kind=attached")) == [signature]
    assert "Any kind Images (1) Charts (1) Attached (1)" in see(client).words


@pytest.mark.parametrize(
    ("kinds", "said", "unsaid"),
    [
        ([Manifest.Kind.IMAGE, Manifest.Kind.INDEX], "Filter tags", "Images"),
        ([Manifest.Kind.IMAGE, Manifest.Kind.CHART], "Any kind Images (1) Charts (1)", "Attached"),
        ([Manifest.Kind.CHART, Manifest.Kind.SIGNATURE], "Any kind Charts (1) Attached (1)", "Images"),
        ([Manifest.Kind.SIGNATURE], "Any kind Attached (1)", "Images"),
    ],
)
def test_the_counts_of_the_kinds_add_up(
    client: Client, app: Repository, kinds: list[Manifest.Kind], said: str, unsaid: str
) -> None:
    for number, kind in enumerate(kinds):
        name = f"sha256-{number:064}.sig" if kind == Manifest.Kind.SIGNATURE else f"t{number}"
        make.put(app, make.image([(f"l{number}", 1)], kind=kind), name)
    words = see(client).words.split("Sort")[0]
    assert said in words
    assert unsaid not in words


@pytest.mark.parametrize("sort", ["-date", "tag", "-tag", "size", "-size"])
def test_the_list_to_sort_by_has_both_directions(client: Client, app: Repository, sort: str) -> None:
    make.put(app, make.image(), "1.0")
    assert [option["value"] for option in see(client, f"{URL}?sort={sort}").all("option") if "selected" in option] == [
        sort
    ]


def test_tags_that_cannot_be_read_stand_before_the_list(client: Client, app: Repository) -> None:
    make.put(app, make.image(), "1.0")
    for number in range(25):
        make.lose_tag(app, f"lost-{number:02}", "MANIFEST_UNKNOWN")
    make.settle(app)
    page = see(client)
    assert "Tags that cannot be read" in page.words
    assert f"{URL}/-/tags/lost-19" in page.links
    assert f"{URL}/-/tags/lost-20" not in page.links
    assert "And more." in page.words


def test_states_of_images_are_shown_with_their_reason(client: Client, app: Repository) -> None:
    make.put(app, make.image([("a", 1)]), "half", state=Presence.State.INCOMPLETE, problem="linux/arm64 is not here")
    make.put(app, make.malformed(), "garbage", state=Presence.State.UNREADABLE, problem="no JSON")
    page = see(client)
    assert "A part is missing: linux/arm64 is not here" in page.words
    assert "Cannot be read: no JSON" in page.words


def test_a_date_says_what_it_rests_on(client: Client, app: Repository) -> None:
    make.put(app, make.image([("a", 1)]), "found", dated_by=Presence.DatedBy.FOUND)
    make.put(app, make.image([("b", 1)]), "built", dated_by=Presence.DatedBy.CREATED)
    make.put(app, make.image([("c", 1)]), "seen", dated_by=Presence.DatedBy.SEEN)
    words = see(client).words
    for said in ("before the first scan", "· created", "· arrived"):
        assert said in words
    assert "1970" not in words


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"state": Repository.State.EMPTY}, "No image in it"),
        ({"state": Repository.State.NEW}, "Not scanned yet"),
        ({"state": Repository.State.FAILED, "problem": "refused with 500"}, "refused with 500"),
        ({"gone_at": timezone.now()}, "two complete catalogs in a row lacked it"),
    ],
)
def test_a_repository_says_what_state_it_is_in(
    client: Client, local: Registry, fields: dict[str, object], said: str
) -> None:
    app = make.repository(local, "team/app", **fields)
    make.lose_tag(app, "old", "404")
    Tag.objects.update(gone_at=timezone.now())
    assert said in see(client).words
    assert f"{URL}/-/gone-tags" in see(client).links


def test_each_level_of_the_name_leads_to_its_namespace(client: Client, local: Registry) -> None:
    make.repository(local, "a/b/c")
    page = see(client, "/r/local/a/b/c")
    assert {"/r/local?ns=a", "/r/local?ns=a%2Fb"} <= set(page.links)


def test_gone_tags_are_left_out(client: Client, app: Repository) -> None:
    presence = make.put(app, make.image(), "1.0", "old")
    Tag.objects.filter(presence=presence, name="old").update(gone_at=timezone.now())
    page = see(client)
    assert f"{URL}/-/tags/old" not in page.links
    assert f"{URL}/-/gone-tags" in page.links
    assert "Gone tags 1" in page.words
    Tag.objects.update(gone_at=None)
    assert f"{URL}/-/gone-tags" not in see(client).links


def test_gone_tags_tell_what_they_pointed_to_and_when_they_went(client: Client, app: Repository) -> None:
    kept, left = make.image([("a", 1)]), make.image([("b", 1)])
    presence = make.put(app, kept, "1.0", "old")
    make.put(app, left, "older", tag_count=0, gone_at=timezone.now())
    make.lose_tag(app, "lost", "404")
    for days, name in enumerate(("old", "older", "lost")):
        Tag.objects.filter(name=name).update(gone_at=timezone.now() - timedelta(days=days, hours=1))
    page = see(client, f"{URL}/-/gone-tags")
    assert leads(page) == ["old", "older", "lost"]
    assert leads(see(client, f"{URL}/-/gone-tags?sort=-gone")) == ["lost", "older", "old"]
    assert f"{URL}/-/manifests/{left.row.digest}" in page.links
    assert page.words.count("still here") == 1
    assert f"the tag {presence.lead_tag} points to it" in page.words
    assert "its manifest could never be read" in page.words
    assert "1 h ago" in page.words


def test_gone_tags_are_paged_by_key_and_cost_as_many_queries(
    client: Client, app: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    presence = make.put(app, make.image(), *[f"t{number:03}" for number in range(120)])
    Tag.objects.filter(presence=presence, name__lt="t002").update(gone_at=timezone.now())
    with django_assert_num_queries(6):
        assert len(leads(see(client, f"{URL}/-/gone-tags"))) == 2
    Tag.objects.update(gone_at=timezone.now())
    with django_assert_num_queries(6):
        page = see(client, f"{URL}/-/gone-tags")
    seen = leads(page)
    while following := [link["href"] for link in page.all("a", rel="next")]:
        page = see(client, f"{URL}/-/gone-tags{following[0]}")
        seen += leads(page)
    assert len(seen) == len(set(seen)) == 120


def test_a_repository_without_gone_tags_says_so(client: Client, app: Repository) -> None:
    assert "No tag went so far" in see(client, f"{URL}/-/gone-tags").words


def fill_with_versions(app: Repository) -> None:
    for number, tags in enumerate((["1.10.0", "latest"], ["1.10.0-rc1"], ["1.9.2"], ["main"], ["sha-8c1f20e", "dev"])):
        make.put(app, make.image([(f"l{number}", number + 1)]), *tags)
    make.settle(app)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("group=releases&sort=-tag", ["1.10.0", "1.10.0-rc1", "1.9.2"]),
        ("group=final&sort=-tag", ["1.10.0", "1.9.2"]),
        ("group=branches", ["sha-8c1f20e", "main", "1.10.0"]),
        ("group=commits", ["sha-8c1f20e"]),
        ("group=nonsense", ["sha-8c1f20e", "main", "1.9.2", "1.10.0-rc1", "1.10.0"]),
    ],
)
def test_tags_are_grouped_by_what_they_name(client: Client, app: Repository, query: str, expected: list[str]) -> None:
    fill_with_versions(app)
    assert leads(see(client, f"{URL}?{query}")) == expected
    offered = {link for link in see(client).links if link.startswith("?group=")}
    assert offered == {"?group=releases&sort=-tag", "?group=branches", "?group=commits"}


def test_groups_say_how_many_images_they_have(client: Client, app: Repository) -> None:
    fill_with_versions(app)
    assert "All 5 Releases 3 Branches 3 Commits 1" in see(client).words
    assert "All 5 Releases 3 Without pre-releases 2 Branches 3" in see(client, f"{URL}?group=releases").words


def test_images_are_narrowed_by_platform(client: Client, app: Repository) -> None:
    arm = make.image([("arm", 1)], {**make.config(), "architecture": "arm64"})
    make.put(app, make.image([("amd", 1)]), "amd")
    make.put(app, make.index([("linux/arm64/v8", arm), ("plan9/mips", arm)]), "both")
    page = see(client, f"{URL}?platform=linux/arm64")
    assert leads(page) == ["both"]
    assert "All platforms linux/amd64 (1) linux/arm64 (1) Other platforms (1)" in page.words
    assert leads(see(client, f"{URL}?platform=other")) == ["both"]
    assert leads(see(client, f"{URL}?platform=linux/s390x")) == []
    assert "linux/s390x" in see(client, f"{URL}?platform=linux/s390x").words


def test_images_are_narrowed_by_age_and_what_has_none_is_neither_young_nor_old(client: Client, app: Repository) -> None:
    for days in (0, 20, 80, 400):
        made = timezone.now() - timedelta(days=days, hours=1)
        make.put(app, make.image([(f"l{days}", 1)]), f"d{days}", dated=made)
    make.put(app, make.image([("old", 1)]), "found", dated_by=Presence.DatedBy.FOUND)
    assert leads(see(client, f"{URL}?age=1d")) == ["d0"]
    assert leads(see(client, f"{URL}?age=30d")) == ["d0", "d20"]
    assert leads(see(client, f"{URL}?age=over-90d")) == ["d400"]
    assert leads(see(client, f"{URL}?age=over-30d")) == ["d80", "d400"]


def test_the_list_of_references_holds_all_tags_of_what_the_filter_leaves(client: Client, app: Repository) -> None:
    fill_with_versions(app)
    answer = client.get(f"{URL}/-/references?group=final")
    host = "registry.example.org/team/app"
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="app-tags.txt"'
    assert answer.content.decode().splitlines() == [f"{host}:{tag}" for tag in ("latest", "1.9.2", "1.10.0")]


def test_a_page_costs_as_many_queries_for_60_rows_as_for_10(
    client: Client, app: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def fill(numbers: range) -> None:
        for number in numbers:
            child = make.image([(f"l{number}", number)])
            make.put(app, make.index([("linux/amd64", child)]), f"1.{number}", f"alias-{number}")
        make.settle(app)

    fill(range(10))
    with django_assert_num_queries(8):
        see(client)
    fill(range(10, 60))
    with django_assert_num_queries(8):
        see(client)
