"""Every route, and what it answers to whom. A route that is not in this table fails the test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import DjangoDbBlocker, Settings

from access.models import User
from cleanup.models import Check, ClassicRun, ClassicStep, PinHolder, RetentionRun, Sweep, UntaggedRun
from jobs.models import Job
from registries.models import Registry
from sync.models import Run
from tests.laid import rolled_back
from tests.notices import furniture as notices
from tests.sync import furniture as syncing
from tests.tagging import furniture as rows
from tests.web import furniture as make
from tests.web import harbour_retention, harbour_sync
from tests.web.pages import Page

pytestmark = pytest.mark.django_db(databases="__all__")

SIGN_IN: Final = "sign-in"  # a redirect to the sign-in page


@dataclass(frozen=True)
class Row:
    """What a GET (or a POST, for what changes something) answers."""

    anonymous: int | str
    anonymous_with_read: int | str
    reader: int | str
    staff: int | str
    changes: bool = False
    arguments: tuple[str, ...] = ()
    deletes: bool = False
    replaces: bool = False

    @property
    def method(self) -> str:
        if self.replaces:
            return "PUT"
        return "DELETE" if self.deletes else "POST" if self.changes else "GET"


def _page(*arguments: str) -> Row:
    return Row(SIGN_IN, 200, 200, 200, arguments=arguments)


def _for_staff(staff: int, *arguments: str, changes: bool = True) -> Row:
    return Row(SIGN_IN, SIGN_IN, 403, staff, changes=changes, arguments=arguments)


def _for_machines(*arguments: str) -> Row:
    return Row(401, 200, 200, 200, arguments=arguments)


def _acts(staff: int, *arguments: str, deletes: bool = False, replaces: bool = False) -> Row:
    """For machines too; of staff it is asked without a word on what."""
    return Row(401, 401, 403, staff, changes=True, arguments=arguments, deletes=deletes, replaces=replaces)


MATRIX: Final[dict[str, Row]] = {
    "healthz": Row(200, 200, 200, 200),
    "readyz": Row(503, 503, 503, 503),  # no broker listens in the tests
    "api-docs": _page(),
    "api-openapi": _for_machines(),
    "api-repositories": _for_machines(),
    "api-repository": _for_machines("registry", "repository"),
    "api-tags": _for_machines("registry", "repository"),
    "api-manifest": _for_machines("registry", "repository", "digest"),
    "api-tag-history": _for_machines("registry", "repository", "tag"),
    "api-tag-delete": _acts(200, "registry", "repository", "tag", deletes=True),
    "api-manifest-delete": _acts(200, "registry", "repository", "digest", deletes=True),
    "api-plans": _for_machines(),
    "api-plan-make": _acts(422),
    "api-plan": _for_machines("plan_id"),
    "api-plan-items": _for_machines("plan_id"),
    "api-plan-carry-out": _acts(200, "plan_id"),
    "api-trash": _for_machines(),
    "api-trash-restore": _acts(422),
    "api-trash-delete": _acts(204, "entry_id", deletes=True),
    "api-pins": _for_machines(),
    "api-pins-report": _acts(422),
    "api-pins-holder": _for_machines("holder"),
    "api-pins-digests": _for_machines("holder"),
    "api-pins-forget": _acts(204, "holder", deletes=True),
    "api-protection-rules": _for_machines(),
    "api-protection-rule-add": _acts(422),
    "api-protection-preview": Row(401, 422, 422, 422),  # no pattern was named
    "api-protection-rule": _for_machines("rule_id"),
    "api-protection-rule-remove": _acts(204, "rule_id", deletes=True),
    "api-storage": _for_machines(),
    "api-storage-registry": _for_machines("registry"),
    "api-storage-namespaces": _for_machines("registry"),
    "api-storage-repositories": _for_machines("registry"),
    "api-sync-sources": _for_machines(),
    "api-sync-source-add": _acts(422),
    "api-sync-source": Row(401, 404, 404, 404, arguments=("name",)),  # it is one of ours
    "api-sync-source-change": _acts(422, "name", replaces=True),
    "api-sync-source-remove": _acts(404, "name", deletes=True),
    "api-sync-rules": _for_machines(),
    "api-sync-rule-add": _acts(422),
    "api-sync-rule": _for_machines("name"),
    "api-sync-rule-change": _acts(422, "name", replaces=True),
    "api-sync-rule-remove": _acts(204, "name", deletes=True),
    "api-sync-rule-run": _acts(422, "name"),
    "api-sync-runs": _for_machines(),
    "api-sync-run": _for_machines("run_id"),
    "api-sync-run-items": _for_machines("run_id"),
    "api-sync-run-carry-on": _acts(202, "run_id"),
    "api-sync-run-weigh": _acts(202, "run_id"),
    "api-sync-item-roll-back": _acts(409, "run_id", "position"),  # its tag was new
    "api-sync-run-try-again": _acts(409, "run_id"),  # nothing of it has failed
    "api-sync-run-stop": _acts(409, "run_id"),  # it is not under way
    "api-sync-copy": _acts(422),
    "api-sync-synced": _for_machines(),
    "api-checks": _for_machines(),
    "api-check-begin": _acts(422),
    "api-check": _for_machines("check_id"),
    "api-check-findings": _for_machines("check_id"),
    "api-untagged": _for_machines(),
    "api-untagged-begin": _acts(422),
    "api-untagged-run": _for_machines("untagged_id"),
    "api-untagged-items": _for_machines("untagged_id"),
    "api-untagged-carry-on": _acts(202, "untagged_id"),
    "api-untagged-stop": _acts(409, "untagged_id"),  # it is not under way
    "api-garbage-collections": _for_machines(),
    "api-garbage-collection-begin": _acts(422),
    "api-garbage-collection": _for_machines("collection_id"),
    "api-garbage-collection-steps": _for_machines("collection_id"),
    "api-garbage-collection-carry-on": _acts(409, "collection_id"),  # its registry has no commands
    "api-garbage-collection-stop": _acts(409, "collection_id"),  # it is not under way
    "api-cleanup-schedule": _for_machines("registry", "work"),
    "api-cleanup-schedule-set": _acts(422, "registry", "work", replaces=True),
    "api-sweeps": _for_machines(),
    "api-sweep-begin": _acts(422),
    "api-sweep": _for_machines("sweep_id"),
    "api-sweep-blobs": _for_machines("sweep_id"),
    "api-sweep-carry-on": _acts(202, "sweep_id"),
    "api-sweep-delete-now": _acts(409, "sweep_id"),  # nothing lies aside
    "api-sweep-undo": _acts(409, "sweep_id"),
    "api-sweep-stop": _acts(409, "sweep_id"),  # it is not under way
    "api-sweep-terms": _for_machines("registry"),
    "api-sweep-terms-change": _acts(422, "registry", replaces=True),
    "api-retention-policies": _for_machines(),
    "api-retention-policy-add": _acts(422),
    "api-retention-policy": _for_machines("name"),
    "api-retention-policy-change": _acts(422, "name", replaces=True),
    "api-retention-policy-remove": _acts(204, "name", deletes=True),
    "api-retention-order": _acts(422),
    "api-retention-explain": _acts(422),
    "api-retention-runs": _for_machines(),
    "api-retention-run-begin": _acts(422),
    "api-retention-run": _for_machines("run_id"),
    "api-retention-run-repositories": _for_machines("run_id"),
    "api-retention-run-tags": _for_machines("run_id"),
    "api-retention-run-kept": Row(401, 422, 422, 422, arguments=("run_id",)),  # no repository was named
    "api-retention-run-carry-on": _acts(422, "run_id"),
    "api-retention-run-allow": _acts(409, "run_id"),  # it does not ask
    "api-retention-run-stop": _acts(409, "run_id"),  # it is not under way
    "api-activity": _for_machines(),
    "api-activity-export": Row(401, 401, 200, 200),
    "api-events": Row(401, 401, 401, 401, changes=True, arguments=("registry",)),  # a registry shows a secret
    "api-jobs": _for_machines(),
    "api-search": Row(401, 422, 422, 422),  # nothing was asked for
    "api-job": _for_machines("job_id"),
    "repositories": _page(),
    "registry": _page("registry"),
    "repository": _page("registry", "repository"),
    "references": _page("registry", "repository"),
    "timeline": _page("registry", "repository"),
    "gone-tags": _page("registry", "repository"),
    "readme": _page("registry", "repository"),
    "readme-edit": _for_staff(200, "registry", "repository", changes=False),
    "tag": _page("registry", "repository", "tag"),
    "manifest": _page("registry", "repository", "digest"),
    "raw-manifest": _page("registry", "repository", "digest"),
    "raw-config": _page("registry", "repository", "digest"),
    "pull-tool": Row(SIGN_IN, 400, 400, 400, changes=True),  # no tool was named
    "language": Row(400, 400, 400, 400, changes=True),  # none was named
    "keyboard": _page(),
    "dockerfile": _page("registry", "repository", "digest"),
    "layer": _page("registry", "repository", "digest", "number"),
    "family": _page("registry", "repository", "digest"),
    "search": _page(),
    "cleanup": _page(),
    "sweeps": _page(),
    "sweep": _page("sweep_id"),
    "sweep-begin": _for_staff(404),  # no registry was named
    "sweep-terms": _for_staff(200, "registry", changes=False),
    "sweep-carry-on": _for_staff(302, "sweep_id"),
    "sweep-delete-now": _for_staff(302, "sweep_id", changes=False),  # nothing lies aside
    "sweep-undo": _for_staff(302, "sweep_id"),
    "sweep-stop": _for_staff(302, "sweep_id"),
    "cleanup-health": _page(),
    "cleanup-health-kind": _page("kind"),
    "check": _page("check_id"),
    "cleanup-verify": _for_staff(404),  # no registry was named
    "cleanup-lift": _for_staff(404),
    "cleanup-clear-uploads": _for_staff(404),
    "cleanup-untagged": _page(),
    "cleanup-untagged-begin": _for_staff(404),  # no registry was named
    "cleanup-untagged-run": _page("untagged_id"),
    "cleanup-untagged-carry-on": _for_staff(302, "untagged_id"),
    "cleanup-untagged-stop": _for_staff(302, "untagged_id"),
    "cleanup-untagged-schedule": _for_staff(200, "registry", changes=False),
    "cleanup-policies": _page(),
    "cleanup-policy-add": _for_staff(200, changes=False),
    "cleanup-policy": _page("policy"),
    "cleanup-policy-edit": _for_staff(200, "policy", changes=False),
    "cleanup-policy-remove": _for_staff(200, "policy", changes=False),
    "cleanup-policy-switch": _for_staff(302, "policy"),
    "cleanup-policy-move": _for_staff(302, "policy"),
    "cleanup-why": _page(),
    "cleanup-runs": _page(),
    "cleanup-run": _page("run_id"),
    "cleanup-run-begin": _for_staff(404),  # no registry was named
    "cleanup-run-carry-on": _for_staff(302, "run_id"),
    "cleanup-run-stop": _for_staff(302, "run_id"),
    "cleanup-run-again": _for_staff(302, "run_id"),
    "cleanup-commands": _page(),
    "cleanup-commands-begin": _for_staff(404),  # no registry was named
    "cleanup-commands-run": _page("collection_id"),
    "cleanup-commands-carry-on": _for_staff(200, "collection_id"),  # asks whether that is meant
    "cleanup-commands-stop": _for_staff(302, "collection_id"),
    "cleanup-commands-output": Row(SIGN_IN, SIGN_IN, 200, 200, arguments=("collection_id", "step_id")),
    "cleanup-commands-schedule": _for_staff(200, "registry", changes=False),
    "cleanup-pins": _page(),
    "cleanup-pins-holder": _page("holder"),
    "cleanup-pins-forget": _for_staff(200, "holder", changes=False),
    "plan": _page("plan_id"),
    "plan-carry-out": _for_staff(302, "plan_id"),
    "plan-give-up": _for_staff(302, "plan_id"),
    "plan-undo": _for_staff(302, "plan_id"),
    "promote": _for_staff(200, "registry", "repository"),
    "delete-tags": _for_staff(302, "registry", "repository"),
    "delete-images": _for_staff(302, "registry", "repository"),
    "delete-repository": _for_staff(302, "registry", "repository"),
    "remove-repository": _for_staff(302, "registry", "repository"),
    "copy": _for_staff(200, "registry", "repository", "digest", changes=False),
    "tag-history": _page("registry", "repository", "tag"),
    "roll-back": _for_staff(404, "registry", "repository", "tag"),  # to what was not said
    "trash": _page(),
    "storage": _page(),
    "storage-registry": _page("registry"),
    "storage-repositories": _page("registry"),
    "storage-csv": Row(SIGN_IN, SIGN_IN, 200, 200, arguments=("registry",)),
    "storage-images": _page("registry"),
    "storage-repeated": _page("registry"),
    "sync-rules": _page(),
    "sync-rule-add": _for_staff(200, changes=False),
    "sync-rule": _page("rule"),
    "sync-rule-edit": _for_staff(200, "rule", changes=False),
    "sync-rule-remove": _for_staff(200, "rule", changes=False),
    "sync-rule-switch": _for_staff(302, "rule"),
    "sync-rule-run": _for_staff(302, "rule"),
    "sync-rule-plan": _for_staff(302, "rule"),
    "sync-runs": _page(),
    "sync-run": _page("run_id"),
    "sync-run-carry-on": _for_staff(302, "run_id"),
    "sync-run-weigh": _for_staff(302, "run_id"),
    "sync-run-stop": _for_staff(302, "run_id"),
    "sync-run-try-again": _for_staff(302, "run_id"),
    "sync-item-roll-back": _for_staff(302, "run_id", "position"),
    "trash-restore": _for_staff(302),
    "trash-remove": _for_staff(302),
    "trash-look": _for_staff(302),
    "activity": _page(),
    "activity-newer": Row(SIGN_IN, 204, 204, 204),  # nothing is new
    "activity-csv": Row(SIGN_IN, SIGN_IN, 200, 200),
    "activity-jsonl": Row(SIGN_IN, SIGN_IN, 200, 200),
    "protection": _page(),
    "protection-add": _for_staff(422),  # no pattern was given
    "protection-preview": _page(),
    "protection-remove": _for_staff(302, "rule_id"),
    "notices": _for_staff(200, changes=False),
    "notices-add-webhook": _for_staff(200, changes=False),
    "notices-add-email": _for_staff(200, changes=False),
    "notices-page": _for_staff(200, "subscription_id", changes=False),
    "notices-edit": _for_staff(200, "subscription_id", changes=False),
    "notices-test": _for_staff(302, "subscription_id"),
    "notices-secret": _for_staff(200, "subscription_id"),
    "notices-switch": _for_staff(302, "subscription_id"),
    "notices-remove": _for_staff(302, "subscription_id"),
    "notices-again": _for_staff(302, "subscription_id", "notice_id"),
    "referrers": _page("registry", "repository", "digest"),
    "chart-files": Row(SIGN_IN, 404, 404, 404, arguments=("registry", "repository", "digest")),  # of an image
    "jobs": _page(),
    "job": _page("job_id"),
    "job-stop": _for_staff(302, "job_id"),
    "job-again": _for_staff(302, "job_id"),
    "job-answer": _for_staff(400, "job_id"),
    "scan-now": _for_staff(302, "name"),
    "registries": _page(),
    "registries-page": _page("name"),
    "registries-connect": _page("name"),
    "registries-ca": Row(SIGN_IN, 404, 404, 404, arguments=("name",)),  # Berth was given none
    "registries-scans": _page("name"),
    "scan": _page("name", "scan_id"),
    "registries-watched": _page("name"),
    "registries-watch": _for_staff(302, "name"),
    "registries-unwatch": _for_staff(302, "name"),
    "registries-add": _for_staff(200, changes=False),
    "registries-events": _for_staff(200, "name", changes=False),
    "registries-events-test": _for_staff(302, "name"),
    "registries-events-revoke": _for_staff(302, "name"),
    "registries-edit": _for_staff(200, "name", changes=False),
    "registries-test": _for_staff(302, "name"),
    "registries-trust": _for_staff(302, "name"),
    "registries-remove": _for_staff(200, "name", changes=False),
    "sync-import": _for_staff(200, changes=False),
    "sync-sources": _page(),
    "sync-sources-add": _for_staff(200, changes=False),
    "sync-source": _for_staff(200, "source", changes=False),
    "sync-source-test": _for_staff(302, "source"),
    "sync-source-trust": _for_staff(302, "source"),
    "sync-source-remove": _for_staff(200, "source", changes=False),
    "sign-in": Row(200, 200, 302, 302),
    "sign-out": Row(302, 302, 302, 302, changes=True),
    "password": Row(SIGN_IN, SIGN_IN, 200, 200),
}
WHO: Final = ("anonymous", "anonymous_with_read", "reader", "staff")
# That each route is answered to the staff is shown on either database; who may not, and what is refused, on one.
ANY: Final = pytest.mark.any_database


def routes() -> dict[str, str]:
    """Every route of Berth, by name."""
    return dict(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: list[Any], before: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            found += _walk(pattern.url_patterns, before + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            found.append((pattern.name or f"unnamed {before}{pattern.pattern}", before + str(pattern.pattern)))
    return found


@pytest.fixture(scope="module")
def arguments(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, Any]]:
    """Laid once for all tests here, each of which takes back what it changed."""
    with django_db_blocker.unblock(), rolled_back():
        yield _laid()


def _laid() -> dict[str, Any]:
    # Nobody listens at this address: what asks the registry fails, and says so on a page.
    where = make.registry("local", url="http://127.0.0.1:1", plain_http=True)
    app = make.repository(where, "team/app")
    built = make.image(settings=make.config(history=[{"created_by": "COPY a b"}]))
    make.put(app, built, "1.0")
    job = make.job(where, Job.State.DONE, kind="other")
    told = notices.recipient()
    digest = built.row.digest
    copies = harbour_sync.rule(where, where)
    syncing.rule("local", where)  # machines ask for it by what is called `name` above
    run = harbour_sync.run(copies, Run.State.PLANNED, [harbour_sync.item("1.0")])
    harbour_retention.run(where, RetentionRun.State.PLANNED, pk=run.pk)  # one number for both
    make.registry("upstream", url="http://127.0.0.1:2", plain_http=True, role=Registry.Role.SOURCE)
    collection = ClassicRun.objects.create(registry=where)
    step = ClassicStep.objects.create(run=collection, kind="dry-run", argv=["true"], began_at=collection.created_at)
    return {
        "registry": "local",
        "source": "upstream",
        "name": "local",
        "repository": "team/app",
        "tag": "1.0",
        "digest": digest,
        "number": 1,
        "job_id": job.pk,
        "scan_id": make.scan(where).pk,
        "plan_id": rows.plan(app).pk,
        "entry_id": rows.trash_entry(app, "2.0").pk,
        "rule": copies.name,
        "run_id": run.pk,
        "check_id": Check.objects.create(registry=where).pk,
        "work": "untagged",
        "collection_id": step.run_id,
        "step_id": step.pk,
        "untagged_id": UntaggedRun.objects.create(registry=where).pk,
        "sweep_id": Sweep.objects.create(registry=where, grace_seconds=1, settle_seconds=1, hold_seconds=1).pk,
        "kind": "broken",
        "policy": harbour_retention.policy(where, "local").name,
        "position": 0,
        "rule_id": rows.protection_rule(where).pk,
        "holder": PinHolder.objects.create(name="cluster-a").name,
        "subscription_id": told.pk,
        "notice_id": notices.notice(told).pk,
    }


def browser(who: str, settings: Settings, *, csrf: bool = False) -> Client:
    settings.ANONYMOUS_READ = who == "anonymous_with_read"
    client = Client(enforce_csrf_checks=csrf)
    if who in {"reader", "staff"}:
        client.force_login(make.person(who, staff=who == "staff"))
    return client


def address(name: str, arguments: dict[str, Any]) -> str:
    return reverse(name, kwargs={key: arguments[key] for key in MATRIX[name].arguments})


def ask(client: Client, name: str, url: str) -> Any:
    """As what the route is for; a machine says that it sends JSON."""
    media_type = "application/json" if name.startswith("api-") else "application/x-www-form-urlencoded"
    return client.generic(MATRIX[name].method, url, content_type=media_type)


def methods(name: str) -> set[str]:
    """All that the address of a route takes: an address may have several routes."""
    known = routes()
    taken = {MATRIX[other].method for other, route in known.items() if route == known[name]}
    return taken | ({"HEAD"} if "GET" in taken else set())


def test_every_route_is_in_the_matrix() -> None:
    assert set(routes()) == set(MATRIX)


@pytest.mark.parametrize("who", [pytest.param(who, marks=[] if who == "staff" else [ANY]) for who in WHO])
@pytest.mark.parametrize("name", MATRIX)
def test_the_route_answers_as_the_matrix_says(
    name: str, who: str, arguments: dict[str, Any], settings: Settings
) -> None:
    row, client = MATRIX[name], browser(who, settings)
    url = address(name, arguments)
    response = ask(client, name, url)
    expected = getattr(row, who)
    if expected == SIGN_IN:
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("sign-in"))
    else:
        assert response.status_code == expected
        assert not response.get("Location", "").startswith(reverse("sign-in")) or name == "sign-out"


SECTIONS: Final = {
    "": "/",
    "r": "/",
    "plans": "/activity",
    "activity": "/activity",
    "trash": "/trash",
    "jobs": "/jobs",
    "sync": "/sync",
    "cleanup": "/cleanup",
    "registries": "/registries",
    "protection": "/registries",
    "notices": "/registries",
}


@ANY
@pytest.mark.parametrize("name", [name for name, row in MATRIX.items() if row.staff == 200 and not row.changes])
def test_a_page_is_in_the_section_of_its_address(name: str, arguments: dict[str, Any], settings: Settings) -> None:
    url = address(name, arguments)
    response = browser("staff", settings).get(url)
    is_part = name in {"keyboard", "protection-preview"}
    if is_part or url.startswith("/api/") or not response["Content-Type"].startswith("text/html"):
        return
    page = Page(response.content.decode())
    assert page.all("nav", **{"aria-label": "Main"})
    current = [at for at in sorted(set(SECTIONS.values())) if page.all("a", href=at, **{"aria-current": "page"})]
    section = SECTIONS.get(url.split("/")[1])
    assert current == ([section] if section else [])


@ANY
@pytest.mark.parametrize("name", [name for name, row in MATRIX.items() if row.changes])
def test_what_changes_something_refuses_get(name: str, arguments: dict[str, Any], settings: Settings) -> None:
    """Unless another route is there to be read."""
    if "GET" not in methods(name):
        assert browser("staff", settings).get(address(name, arguments)).status_code == 405


@ANY
@pytest.mark.parametrize(
    "name",
    [name for name, row in MATRIX.items() if (row.changes or name.startswith("regis")) and name != "api-events"],
)
def test_what_changes_something_refuses_a_post_without_a_token(
    name: str, arguments: dict[str, Any], settings: Settings
) -> None:
    """Pages that only show something refuse the method; nothing takes a post without a token."""
    client, url = browser("staff", settings, csrf=True), address(name, arguments)
    response = ask(client, name, url) if MATRIX[name].changes else client.post(url)
    assert response.status_code == 403
    if name.startswith("api-"):
        assert "X-CSRFToken" in response.json()["detail"]
    else:
        assert "no longer valid" in Page(response.content.decode()).words


@ANY
@pytest.mark.parametrize("name", [name for name, row in MATRIX.items() if not row.changes])
def test_what_shows_something_refuses_other_methods(name: str, arguments: dict[str, Any], settings: Settings) -> None:
    client, url = browser("staff", settings), address(name, arguments)
    for method in {"PUT", "DELETE", "PATCH"} - methods(name):
        assert client.generic(method, url).status_code == 405


@ANY
@pytest.mark.parametrize("name", [name for name, row in MATRIX.items() if not row.changes])
def test_head_answers_as_get_without_a_body(name: str, arguments: dict[str, Any], settings: Settings) -> None:
    client, url = browser("reader", settings), address(name, arguments)
    assert client.head(url).status_code == client.get(url).status_code


def test_a_person_who_was_locked_out_reads_nothing(arguments: dict[str, Any]) -> None:
    client, person = Client(), make.person("left", is_active=False)
    client.force_login(person)
    assert client.get("/").status_code == 302


def test_a_part_that_needs_a_sign_in_sends_the_whole_page_there(arguments: dict[str, Any]) -> None:
    response = Client().get("/jobs", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/jobs?page=x"})
    assert response.status_code == 200
    assert response["HX-Redirect"] == "/sign-in?next=%2Fjobs%3Fpage%3Dx"
    assert response.content == b""


def test_who_is_not_signed_in_learns_of_no_registry(arguments: dict[str, Any]) -> None:
    for url in ("/sign-in", "/nothing"):
        assert "127.0.0.1:1" not in Client().get(url).content.decode()


def test_who_may_only_read_is_not_told_who_asked_for_a_job(
    arguments: dict[str, Any], settings: Settings, reader: User
) -> None:
    Job.objects.update(requested_by=reader)
    client = browser("anonymous_with_read", settings)
    for url in ("/jobs", f"/jobs/{arguments['job_id']}"):
        assert "reader" not in Page(client.get(url).content.decode()).words
