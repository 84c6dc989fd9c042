"""The form of a rule: what is said in it is what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from access.models import User
from audit.models import Entry
from jobs.schedule import Schedule, When
from oci.transfer.selection import Form, Selection
from registries import details as registries
from registries import services
from registries.models import Registry
from sync.choosing import Choice, NewestBy
from sync.details import Details, Moved
from sync.models import Rule
from tests.web import furniture as make
from tests.web import harbour_sync as rows
from tests.web.pages import Page
from tests.web.sync_sent import DIGEST, said, typed, words, wrong_at

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def places(local: Registry, hub: Registry) -> None:
    """From where to where the rules of these tests copy."""


def test_a_rule_is_added_as_it_was_said(staff_client: Client, staff: User, local: Registry, hub: Registry) -> None:
    response = staff_client.post(
        "/sync/rules/add",
        typed(
            repositories="library/golang\r\n\r\n library/alpine \nlibrary/golang",
            into="mirror/{repository}",
            allow="1.*\n2.*",
            deny="/.*-rc.*/",
            ranges=">=1.22 <2",
            pre_releases="on",
            newest="3",
            newest_by="time",
            pins=f"1.0@{DIGEST}",
            platforms=["linux/amd64"],
            more_platforms="linux/riscv64, linux/arm64",
            shape="sparse",
            attached=["signature"],
            attestations=False,
            moved="back-up",
            backup="{tag}-old",
            deletes_gone="on",
            when="every",
            every="90",
            unit="minutes",
            zone="Asia/Seoul",
            window="22:00 - 06:00",
            megabytes="1.5",
        ),
    )

    made = Rule.objects.get()
    assert response.headers["Location"] == made.get_absolute_url()
    assert made.created_by == str(staff)
    assert made.details == Details(
        "golang",
        source="hub",
        repositories=("library/golang", "library/alpine"),
        target="local",
        into="mirror/{repository}",
        choice=Choice(
            ("1.*", "2.*"), ("/.*-rc.*/",), (">=1.22 <2",), pre_releases=True, newest=3, newest_by=NewestBy.TIME
        ),
        pins=(f"1.0@{DIGEST}",),
        selection=Selection(("linux/amd64", "linux/riscv64", "linux/arm64"), Form.SPARSE, attestations=False),
        attached=frozenset({"signature"}),
        moved=Moved.BACK_UP,
        backup="{tag}-old",
        deletes_gone=True,
        schedule=Schedule(When.EVERY, "", "Asia/Seoul", 90, "22:00-06:00"),
        bytes_per_second=1_500_000,
    )
    text = words(staff_client, made.get_absolute_url())
    for sentence in (
        "every 90 minutes, within 22:00-06:00 (Asia/Seoul)",
        "Those that fit: 1.*, 2.*.",
        "Versions in the range >=1.22 <2.",
        "Only the 3 newest by time.",
        "1 image is pinned to its digest.",
        "the index as it is, some of whose images are missing",
        "Comes along: signatures, but no provenance inside an index.",
        "stays under another tag",
        "Deleted here too, into the trash.",
        "A preview says what it would do",
    ):
        assert sentence in text


def test_what_was_not_said_is_what_a_rule_is_without(staff_client: Client, local: Registry, hub: Registry) -> None:
    staff_client.post("/sync/rules/add", typed())

    assert Rule.objects.get().details == Details("golang", "hub", ("library/golang",), "local")


@pytest.mark.parametrize(
    ("field", "value", "at"),
    [
        ("name", "Not so", "name"),
        ("name", "add", "name"),
        ("source", "nobody", "source"),
        ("target", "hub", "target"),
        ("repositories", "", "repositories"),
        ("repositories", "Library/Golang", "repositories"),
        ("into", "{nobody}", "into"),
        ("allow", "/(/", "allow"),
        ("deny", "a b", "deny"),
        ("ranges", ">=one", "ranges"),
        ("newest", "0", "newest"),
        ("pins", "latest", "pins"),
        ("more_platforms", "linux", "more_platforms"),
        ("shape", "child", "shape"),
        ("backup", "{tag} old", "backup"),
        ("megabytes", "0", "megabytes"),
        ("window", "22-6", "window"),
        ("zone", "Atlantis", "zone"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    field: str, value: str, at: str, staff_client: Client, places: None
) -> None:
    response = staff_client.post("/sync/rules/add", typed(**{field: value}))

    assert response.status_code == 422
    assert wrong_at(response) == {at}
    assert not Rule.objects.exists()


@pytest.mark.parametrize(
    ("schedule", "at"), [({"when": "cron", "cron": "* * * * *"}, "cron"), ({"when": "every", "every": "0"}, "every")]
)
def test_a_schedule_that_is_none_is_said_at_its_field(
    schedule: dict[str, str], at: str, staff_client: Client, local: Registry, hub: Registry
) -> None:
    response = staff_client.post("/sync/rules/add", typed(**schedule))

    assert wrong_at(response) == {at}


def test_a_name_that_another_rule_has_is_refused(staff_client: Client, rule: Rule) -> None:
    assert wrong_at(staff_client.post("/sync/rules/add", typed())) == {"name"}


def test_without_a_registry_to_copy_into_there_is_no_form(staff_client: Client, hub: Registry) -> None:
    page = Page(staff_client.get("/sync/rules/add").content.decode())

    assert "No registry to copy into" in page.words
    assert not page.all("textarea")


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"schedule": Schedule(When.CRON, "30 4 * * 1-5", "Asia/Seoul")},
        {"schedule": Schedule(When.EVERY, every=2 * 24 * 60), "bytes_per_second": 2_500_000},
        {"choice": Choice(("1.*",), ("*-rc*",), ("^1.2", "3"), newest=4), "pins": (f"a@{DIGEST}", DIGEST)},
        {"selection": Selection(("linux/amd64", "windows/amd64"), Form.REWRITTEN), "moved": Moved.LEAVE},
        {"selection": Selection(("windows/amd64", "linux/arm64", "linux/amd64"))},
        {"schedule": Schedule(When.EVENT, "30 4 * * *", every=45)},
        {"attached": frozenset({"sbom", "artifact", "chart", "image"}), "is_on": False, "deletes_gone": True},
        {"attached": frozenset({"signature", "chart"})},
        {"attached": frozenset()},
    ],
)
def test_who_saves_a_rule_unchanged_changes_nothing(
    more: dict[str, Any], staff_client: Client, local: Registry, hub: Registry
) -> None:
    made = rows.rule(local, hub, **more)
    before, url = made.details, f"{made.get_absolute_url()}/edit"

    response = staff_client.post(url, said(staff_client.get(url).context["form"]))

    assert response.status_code == 302
    assert Rule.objects.get().details == before
    assert not Entry.objects.exists()


def test_a_rule_may_take_some_of_what_has_one_box(staff_client: Client, local: Registry, hub: Registry) -> None:
    made = rows.rule(local, hub, attached=frozenset({"signature", "chart"}))
    url = f"{made.get_absolute_url()}/edit"
    form = staff_client.get(url).context["form"]

    assert "Comes along: signatures, charts." in words(staff_client, made.get_absolute_url())
    assert "Of whatever else refers to it: charts" in words(staff_client, url)
    staff_client.post(url, said(form, attached=["other", "sbom"]))
    assert Rule.objects.get().details.attached == {"chart", "sbom"}
    staff_client.post(url, said(form, attached=["sbom"]))
    staff_client.post(url, said(form, attached=["other", "sbom"]))
    assert Rule.objects.get().details.attached == {"artifact", "chart", "image", "sbom"}


def test_a_registry_that_was_removed_is_not_taken_for_another(
    staff_client: Client, local: Registry, hub: Registry
) -> None:
    make.registry("other")
    made = rows.rule(local, hub)
    url = f"{made.get_absolute_url()}/edit"
    Registry.objects.filter(pk=local.pk).update(retired_at=timezone.now())

    page = Page(staff_client.get(url).content.decode())
    assert page.all("option", value="hub")[0].keys() >= {"selected"}
    assert "Choose one" in page.words
    response = staff_client.post(url, said(staff_client.get(url).context["form"]) | {"target": ""})
    assert wrong_at(response) == {"target"}
    assert Rule.objects.get().target == local


def test_a_rule_is_changed_and_the_record_says_in_what(staff_client: Client, rule: Rule) -> None:
    url = f"{rule.get_absolute_url()}/edit"

    staff_client.post(url, said(staff_client.get(url).context["form"], name="go", into="{repository}"))

    assert Rule.objects.get().details.into == "{repository}"
    assert list(Entry.objects.values_list("act", "actor", "detail")) == [
        ("rule-change", "staff", "name: golang → go, into: mirror/{repository} → {repository}")
    ]
    assert "Name: golang → go, Repository there: mirror/{repository} → {repository}" in words(staff_client, "/activity")


def test_the_activity_says_which_fields_were_changed(staff_client: Client, rule: Rule) -> None:
    """In the words of the form; what is long by its name alone, and of a registry no value at all."""
    url = f"{rule.get_absolute_url()}/edit"
    form = staff_client.get(url).context["form"]
    more = {"newest": "3", "allow": "1.*\n2.*", "pins": f"a@{DIGEST}", "deletes_gone": "on", "shape": "sparse"}
    staff_client.post(url, said(form, **more))
    staff_client.post(f"{rule.get_absolute_url()}/switch", {"on": "0"})
    staff_client.post(f"{rule.get_absolute_url()}/switch", {"on": "0"})
    hub = rule.source
    said_of_hub: dict[str, Any] = {"name": hub.name, "plain_http": True, "username": "robot", "password": "CANARY-1"}
    services.edit(hub, registries.Details(hub.url, **said_of_hub))

    text = words(staff_client, "/activity")
    assert "Take: nothing → 1.* 2.*, Only the newest: nothing → 3, Pins, What stands under the tag then:" in text
    assert "rewritten → sparse, Delete here what is gone there: no → yes" in text
    assert text.count("Switched on: yes → no") == 1
    assert f"changed the registry {hub.name} User name, Password" in text
    assert "CANARY" not in text
