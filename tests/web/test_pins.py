"""The pages of pins: who says what is in use, what of it is here, the commands that say so, and letting go."""

from __future__ import annotations

import gzip
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from access.models import User
from audit.models import Entry
from catalog.models import Repository
from cleanup.models import Pin, PinHolder
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page
from tests.web.served import served
from tests.web.sync_sent import words
from web.cleanup.pins_page import Commands

pytestmark = pytest.mark.django_db(databases="__all__")

PINS: Final = "/cleanup/pins"
DAY: Final = timedelta(days=1)


@pytest.fixture
def app(local: Registry) -> Repository:
    return make.repository(local, "team/app")


def pinned(name: str, *digests: str, until: timedelta = 3 * DAY) -> PinHolder:
    holder, _ = PinHolder.objects.get_or_create(name=name, defaults={"told_by": "ana.kivi", "told": len(digests)})
    Pin.objects.bulk_create(Pin(holder=holder, digest=digest, until=timezone.now() + until) for digest in digests)
    return holder


def test_where_nobody_says_what_runs_the_page_says_how(client: Client) -> None:
    page = Page(client.get(PINS).content.decode())
    assert "Nobody has said what is in use" in page.words
    assert "kubectl get pods -A -o jsonpath='{..imageID}' | ./berth-pin cluster-a" in page.copied
    assert "docker ps -q | xargs -r docker inspect --format '{{.Image}}' | ./berth-pin cluster-a" in page.copied
    [script] = [text for text in page.copied if text.startswith("#!")]
    assert "berth=http://testserver\n" in script
    assert "username=reader" in script


def test_the_commands_take_another_name_and_nothing_that_is_none(client: Client) -> None:
    page = Page(client.get(PINS, {"holder": "machine-1"}).content.decode())
    assert any(text.endswith("./berth-pin machine-1") for text in page.copied)
    for evil in ("a;rm -rf /", "$(id)", "-x", "<b>", "a" * 64):
        page = Page(client.get(PINS, {"holder": evil}).content.decode())
        assert any(text.endswith("./berth-pin cluster-a") for text in page.copied)
        assert evil not in "".join(page.copied)


def test_holders_are_listed_with_how_much_they_pin_and_until_when(
    client: Client, staff_client: Client, settings: Settings
) -> None:
    settings.ANONYMOUS_READ = True
    holder = pinned("cluster-a", make.digest_of(b"1"), make.digest_of(b"2"))
    pinned("cluster-a", make.digest_of(b"3"), until=DAY / 2)
    pinned("cluster-a", make.digest_of(b"4"), until=-DAY)
    pinned("machine-7")
    PinHolder.objects.filter(pk=holder.pk).update(told=1234, unread=5)
    text = words(client, PINS)
    assert "1,234 digests, 5 could not be read" in text
    assert "ana.kivi" in text
    assert "the first ends in 11 h" in text
    assert "all have ended" in text
    assert "Let go…" not in text
    assert "Let go…" in words(staff_client, PINS)
    assert "ana.kivi" not in words(Client(), PINS)


def test_the_page_of_a_holder_leads_to_what_is_here(client: Client, app: Repository) -> None:
    tagged, listed, by_config = make.image([("1", 1)]), make.image([("2", 2)]), make.image([("3", 3)], make.config())
    make.put(app, tagged, "1.0", "latest")
    make.put(app, listed)
    make.put(app, by_config, "3.0")
    assert by_config.row.config is not None
    other = make.digest_of(b"elsewhere")
    pinned("cluster-a", tagged.row.digest, listed.row.digest, by_config.row.config.digest, other)
    page = Page(client.get(f"{PINS}/cluster-a").content.decode())
    assert {link for link in page.links if link.startswith("/r/local")} == {
        f"/r/local/team/app/-/tags/{tagged_name(app, tagged)}",
        f"/r/local/team/app/-/manifests/{listed.row.digest}",
        "/r/local/team/app/-/tags/3.0",
    }
    assert page.words.count("the catalog knows no such image") == 1
    assert client.get(f"{PINS}/nobody").status_code == 404


def tagged_name(app: Repository, built: make.Built) -> str:
    return app.presences.get(manifest=built.row).lead_tag


def test_what_is_not_there_any_more_is_not_led_to(client: Client, app: Repository) -> None:
    built = make.image()
    make.put(app, built, "1.0")
    pinned("cluster-a", built.row.digest)
    app.presences.update(gone_at=timezone.now())
    assert "the catalog knows no such image" in words(client, f"{PINS}/cluster-a")


def test_its_digests_are_paged_those_that_end_first_before(client: Client) -> None:
    pinned("cluster-a", *(make.digest_of(str(number).encode()) for number in range(40)))
    soon = make.digest_of(b"soon")
    pinned("cluster-a", soon, until=DAY / 2)
    pinned("cluster-a", make.digest_of(b"over"), until=-DAY)
    page = Page(client.get(f"{PINS}/cluster-a").content.decode())
    assert "28 of 41 digests" in page.words
    assert next(found["title"] for found in page.all("span") if found.get("title", "").startswith("sha256:")) == soon
    [following] = [found["href"] for found in page.all("a", rel="next")]
    assert "13 of 41 digests" in words(client, f"{PINS}/cluster-a{following}")


def test_letting_go_is_asked_about_and_told(staff_client: Client, app: Repository) -> None:
    pinned("cluster-a", make.digest_of(b"1"), make.digest_of(b"2"))
    url = f"{PINS}/cluster-a/forget"
    asked = words(staff_client, url)
    assert "Let go of what cluster-a has pinned?" in asked
    assert "2 digests are pinned by it." in asked
    assert Pin.objects.count() == 2
    response = staff_client.post(url, follow=True)
    assert "What cluster-a had in use is pinned no longer." in Page(response.content.decode()).words
    assert not PinHolder.objects.exists()
    assert Entry.objects.get().act == Entry.Act.UNPIN
    assert staff_client.post(url).status_code == 404


def test_an_image_says_who_has_it_in_use(client: Client, app: Repository) -> None:
    """By its digest, by that of its config, or by a platform that it lists."""
    child, alone = make.image([("a", 1)], make.config()), make.image([("b", 2)], make.config())
    index = make.index([("linux/amd64", child)])
    make.put(app, child)
    make.put(app, index, "1.0")
    make.put(app, alone, "2.0")
    assert alone.row.config is not None
    urls = [f"/r/local/team/app/-/tags/{tag}" for tag in ("1.0", "2.0")]
    assert not any("pinned until" in words(client, url) for url in urls)
    pinned("cluster-a", child.row.digest)
    pinned("machine-7", alone.row.config.digest, until=DAY)
    pinned("machine-8", alone.row.config.digest, until=-DAY)
    assert "says cluster-a pinned until" in words(client, urls[0])
    assert "says machine-7 pinned until" in words(client, urls[1])
    assert "says cluster-a" in words(client, f"/r/local/team/app/-/manifests/{child.row.digest}")
    pinned("cluster-b", index.row.digest, until=9 * DAY)
    assert "says cluster-b" in words(client, urls[0])


def test_the_pages_cost_few_queries_and_few_bytes(
    staff_client: Client, app: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    digests = []
    for number in range(30):
        built = make.image([(f"l{number}", 1)])
        make.put(app, built, f"1.{number}")
        digests.append(built.row.digest)
    pinned("cluster-a", *digests)
    for number in range(30):
        pinned(f"machine-{number}", make.digest_of(b"1"))
    for url in (PINS, f"{PINS}/cluster-a", f"/r/local/team/app/-/manifests/{digests[0]}"):
        with django_assert_max_num_queries(10):
            response = staff_client.get(url)
        assert len(gzip.compress(response.content)) < 10_000


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_shell_says_what_runs_by_the_script_of_the_page(staff: User, tmp_path: Path) -> None:
    (tmp_path / "password.txt").write_text(make.PASSWORD)
    script, digest = tmp_path / "berth-pin", make.digest_of(b"1")
    with served() as origin:
        script.write_text(Commands.of(origin, "staff", "cluster-a").script)
        script.chmod(0o700)
        line = f"echo docker-pullable://team/app@{digest} | ./berth-pin cluster-a"
        ran = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, check=False, text=True)
    assert ran.returncode == 0, ran.stderr
    assert list(Pin.objects.values_list("holder__name", "digest")) == [("cluster-a", digest)]
