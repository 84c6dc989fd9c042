"""A registry that is only copied from is none of ours: no page, list, count, search or scan knows it."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from access.models import User
from catalog import scan
from catalog.services import queue_due_scans
from jobs import services as jobs
from jobs.models import Job
from jobs.running import run
from registries import event_secrets
from registries.models import Registry
from tests.api.acting import Hand
from tests.web import furniture as make
from web.outages import active_with_last_scans, outages_of

pytestmark = pytest.mark.django_db(databases="__all__")

NAME = "canary-7f3"
PAGES = (
    "/",
    "/registries",
    "/search?q=canary",
    "/search?q=image:*",
    "/jobs",
    "/trash",
    "/protection",
    "/notices",
    "/notices/add-webhook",
    "/activity",
    "/api/v1/repositories",
    "/api/v1/search?q=canary",
    "/metrics",
)
ASKED = ("registries-page", "registries-connect", "registries-ca", "registries-scans", "registries-watched")
STAFF = ("registries-edit", "registries-remove", "registries-events")
SENT = ("registries-watch", "registries-unwatch", "registries-test", "registries-trust", "scan-now")


@pytest.fixture
def source(local: Registry) -> Registry:
    """One that does not answer, which of one of ours each page would say."""
    return make.registry(
        NAME,
        role=Registry.Role.SOURCE,
        capabilities={"problem": "unreachable", "reason": "connection refused"},
        probed_at=timezone.now(),
    )


@pytest.mark.parametrize("path", PAGES)
def test_no_page_names_it(staff_client: Client, source: Registry, path: str) -> None:
    shown = staff_client.get(path, follow=True).content.decode()
    assert NAME not in shown.replace("q=canary", "")


@pytest.mark.parametrize("path", ["/", "/registries", "/protection", "/notices/add-webhook"])
def test_those_pages_would_name_it_were_it_ours(staff_client: Client, source: Registry, path: str) -> None:
    Registry.objects.filter(pk=source.pk).update(role=Registry.Role.CATALOG)
    assert NAME in staff_client.get(path).content.decode()


@pytest.mark.parametrize("name", [*ASKED, *STAFF])
def test_its_pages_are_not_there(staff_client: Client, source: Registry, name: str) -> None:
    assert staff_client.get(reverse(name, args=[NAME])).status_code == 404


@pytest.mark.parametrize("name", SENT)
def test_nothing_can_be_asked_of_it_as_of_ours(staff_client: Client, source: Registry, name: str) -> None:
    assert staff_client.post(reverse(name, args=[NAME])).status_code == 404


def test_it_has_no_repositories_to_browse(client: Client, source: Registry) -> None:
    assert client.get(reverse("registry", args=[NAME])).status_code == 404
    make.repository(source)  # which nothing writes
    assert client.get("/api/v1/repositories").json()["items"] == []


def test_no_rule_protects_its_tags(staff: User, source: Registry) -> None:
    refused = Hand.of(staff).post("/protection-rules", {"registry": NAME, "tags": "v*"})
    assert refused.status_code == 404


def test_it_is_never_scanned(source: Registry, local: Registry) -> None:
    queue_due_scans()
    assert [job.subject for job in Job.objects.all()] == [local.job_subject]

    job, _ = jobs.queue(scan.KIND, source.job_subject, "Scan of it")
    run(job.pk)
    job.refresh_from_db()
    assert "not scanned any more" in job.message


def test_its_silence_is_no_outage(source: Registry) -> None:
    registries = active_with_last_scans()
    assert [registry.name for registry in registries] == ["local"]
    assert outages_of(registries) == []


def test_it_tells_nothing(source: Registry) -> None:
    secret = event_secrets.issue(source)
    assert event_secrets.owner(NAME, f"Bearer {secret}") is None
    assert not event_secrets.is_expected(NAME)


def test_the_command_of_registries_lists_it_apart(source: Registry) -> None:
    said = StringIO()
    call_command("registry", "list", stdout=said)
    assert "local" in said.getvalue()
    assert NAME not in said.getvalue()
    for verb in ("watched", "remove"):
        with pytest.raises(CommandError, match=f"{NAME} is only copied from, and has no catalog"):
            call_command("registry", verb, NAME)
    said = StringIO()
    call_command("registry", "list", "--sources", stdout=said)
    assert NAME in said.getvalue()
    assert "local" not in said.getvalue()


def test_what_is_not_retired_has_an_address_of_its_own(source: Registry) -> None:
    old = make.registry("old", role=Registry.Role.SOURCE, retired_at=timezone.now())
    by = Registry.objects
    assert set(by.connected()) == {source, Registry.objects.get(name="local")}
    assert list(by.sources()) == [source]
    assert [one.name for one in by.active()] == [one.name for one in by.catalogs()] == ["local"]
    assert old not in by.connected()
