from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Final, Literal

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django import DjangoAssertNumQueries, Settings

from tests.web.harbour import Harbour
from tests.web.pages import Page
from tests.web.visit import Visit

REPOSITORY: Final = "/api/v1/repositories/{registry}/{repository}"
PAGING: Final = {"cursor", "limit"}
ACTING: Final = {"X-CSRFToken"}
KEYED: Final = {"X-CSRFToken", "Idempotency-Key"}
ACTIVITY: Final = {
    *("registry", "repository", "tag", "digest", "actor", "address", "act", "outcome", "source", "from", "to")
}
# Scripts of others rest on these: none may go, and none may be renamed.
READS: Final = {
    "/api/v1/repositories": {*PAGING, "registry", "namespace", "q", "state", "sort"},
    REPOSITORY: {"registry", "repository"},
    f"{REPOSITORY}/-/tags": {"registry", "repository", *PAGING, "q", "digest", "state", "sort"},
    f"{REPOSITORY}/-/tags/{{tag}}/history": {"registry", "repository", "tag", *PAGING},
    f"{REPOSITORY}/-/manifests/{{digest}}": {"registry", "repository", "digest"},
    "/api/v1/search": {"q", "in", *PAGING},
    "/api/v1/storage": set(),
    "/api/v1/storage/{registry}": {"registry"},
    "/api/v1/storage/{registry}/namespaces": {"registry", "namespace", "sort", *PAGING},
    "/api/v1/storage/{registry}/repositories": {"registry", "namespace", "sort", *PAGING},
    "/api/v1/plans": PAGING,
    "/api/v1/plans/{plan_id}": {"plan_id"},
    "/api/v1/plans/{plan_id}/items": {"plan_id", *PAGING},
    "/api/v1/trash": {*PAGING, "registry", "repository"},
    "/api/v1/protection-rules": PAGING,
    "/api/v1/protection-rules/preview": {"registry", "repositories", "tags"},
    "/api/v1/protection-rules/{rule_id}": {"rule_id"},
    "/api/v1/pins": PAGING,
    "/api/v1/pins/{holder}": {"holder"},
    "/api/v1/pins/{holder}/digests": {"holder", *PAGING},
    "/api/v1/sync/sources": PAGING,
    "/api/v1/sync/sources/{name}": {"name"},
    "/api/v1/sync/rules": PAGING,
    "/api/v1/sync/rules/{name}": {"name"},
    "/api/v1/sync/runs": {*PAGING, "rule", "state"},
    "/api/v1/sync/runs/{run_id}": {"run_id"},
    "/api/v1/sync/runs/{run_id}/items": {"run_id", *PAGING, "state", "act"},
    "/api/v1/sync/synced": {*PAGING, "registry", "repository"},
    "/api/v1/checks": {*PAGING, "registry"},
    "/api/v1/checks/{check_id}": {"check_id"},
    "/api/v1/checks/{check_id}/findings": {"check_id", *PAGING, "code"},
    "/api/v1/untagged": {*PAGING, "registry", "state"},
    "/api/v1/untagged/{untagged_id}": {"untagged_id"},
    "/api/v1/untagged/{untagged_id}/items": {"untagged_id", *PAGING, "state"},
    "/api/v1/garbage-collections": {*PAGING, "registry", "state"},
    "/api/v1/garbage-collections/{collection_id}": {"collection_id"},
    "/api/v1/garbage-collections/{collection_id}/steps": {"collection_id", *PAGING},
    "/api/v1/registries/{registry}/cleanup-schedules/{work}": {"registry", "work"},
    "/api/v1/sweeps": {*PAGING, "registry", "state"},
    "/api/v1/sweeps/{sweep_id}": {"sweep_id"},
    "/api/v1/sweeps/{sweep_id}/blobs": {"sweep_id", *PAGING, "state"},
    "/api/v1/registries/{registry}/sweep-terms": {"registry"},
    "/api/v1/retention/policies": {*PAGING, "registry"},
    "/api/v1/retention/policies/{name}": {"name"},
    "/api/v1/retention/runs": {*PAGING, "registry", "state"},
    "/api/v1/retention/runs/{run_id}": {"run_id"},
    "/api/v1/retention/runs/{run_id}/repositories": {"run_id", *PAGING, "state"},
    "/api/v1/retention/runs/{run_id}/tags": {"run_id", *PAGING, "repository", "state"},
    "/api/v1/retention/runs/{run_id}/kept": {"run_id", *PAGING, "repository"},
    "/api/v1/activity": {*PAGING, *ACTIVITY},
    "/api/v1/activity/export": {*ACTIVITY, "format"},
    "/api/v1/jobs": PAGING,
    "/api/v1/jobs/{job_id}": {"job_id"},
}
# What each takes besides, and the statuses of what it did.
ACTS: Final = {
    ("post", "/api/v1/plans"): (KEYED, {"200", "201"}),
    ("post", "/api/v1/plans/{plan_id}/carry-out"): ({"plan_id", *ACTING}, {"200", "202"}),
    ("delete", f"{REPOSITORY}/-/tags/{{tag}}"): (
        {"registry", "repository", "tag", "why", *KEYED},
        {"200", "202"},
    ),
    ("delete", f"{REPOSITORY}/-/manifests/{{digest}}"): (
        {"registry", "repository", "digest", "why", *KEYED},
        {"200", "202"},
    ),
    ("post", "/api/v1/trash/restore"): (KEYED, {"200", "202"}),
    ("delete", "/api/v1/trash/{entry_id}"): ({"entry_id", *ACTING}, {"204"}),
    ("post", "/api/v1/protection-rules"): (ACTING, {"201"}),
    ("delete", "/api/v1/protection-rules/{rule_id}"): ({"rule_id", *ACTING}, {"204"}),
    ("post", "/api/v1/pins"): ({"holder", "for_hours", *ACTING}, {"200"}),
    ("delete", "/api/v1/pins/{holder}"): ({"holder", *ACTING}, {"204"}),
    ("post", "/api/v1/sync/sources"): (ACTING, {"201"}),
    ("put", "/api/v1/sync/sources/{name}"): ({"name", *ACTING}, {"200"}),
    ("delete", "/api/v1/sync/sources/{name}"): ({"name", *ACTING}, {"204"}),
    ("post", "/api/v1/sync/rules"): (ACTING, {"201"}),
    ("put", "/api/v1/sync/rules/{name}"): ({"name", *ACTING}, {"200"}),
    ("delete", "/api/v1/sync/rules/{name}"): ({"name", *ACTING}, {"204"}),
    ("post", "/api/v1/sync/rules/{name}/runs"): ({"name", *ACTING}, {"202"}),
    ("post", "/api/v1/sync/runs/{run_id}/carry-on"): ({"run_id", *ACTING}, {"202"}),
    ("post", "/api/v1/sync/runs/{run_id}/weigh"): ({"run_id", *ACTING}, {"202"}),
    ("post", "/api/v1/sync/runs/{run_id}/items/{position}/roll-back"): ({"run_id", "position", *ACTING}, {"201"}),
    ("post", "/api/v1/sync/runs/{run_id}/try-again"): ({"run_id", *ACTING}, {"202"}),
    ("post", "/api/v1/sync/runs/{run_id}/stop"): ({"run_id", *ACTING}, {"202"}),
    ("post", "/api/v1/sync/copies"): (ACTING, {"202"}),
    ("post", "/api/v1/checks"): (ACTING, {"202"}),
    ("post", "/api/v1/untagged"): (ACTING, {"202"}),
    ("post", "/api/v1/untagged/{untagged_id}/carry-on"): ({"untagged_id", *ACTING}, {"202"}),
    ("post", "/api/v1/untagged/{untagged_id}/stop"): ({"untagged_id", *ACTING}, {"202"}),
    ("post", "/api/v1/garbage-collections"): (ACTING, {"202"}),
    ("post", "/api/v1/garbage-collections/{collection_id}/carry-on"): ({"collection_id", *ACTING}, {"202"}),
    ("post", "/api/v1/garbage-collections/{collection_id}/stop"): ({"collection_id", *ACTING}, {"202"}),
    ("put", "/api/v1/registries/{registry}/cleanup-schedules/{work}"): ({"registry", "work", *ACTING}, {"200"}),
    ("post", "/api/v1/sweeps"): (ACTING, {"202"}),
    ("post", "/api/v1/sweeps/{sweep_id}/carry-on"): ({"sweep_id", *ACTING}, {"202"}),
    ("post", "/api/v1/sweeps/{sweep_id}/delete-now"): ({"sweep_id", *ACTING}, {"202"}),
    ("post", "/api/v1/sweeps/{sweep_id}/undo"): ({"sweep_id", *ACTING}, {"202"}),
    ("post", "/api/v1/sweeps/{sweep_id}/stop"): ({"sweep_id", *ACTING}, {"202"}),
    ("put", "/api/v1/registries/{registry}/sweep-terms"): ({"registry", *ACTING}, {"200"}),
    ("post", "/api/v1/retention/policies"): (ACTING, {"201"}),
    ("put", "/api/v1/retention/policies/{name}"): ({"name", *ACTING}, {"200"}),
    ("delete", "/api/v1/retention/policies/{name}"): ({"name", *ACTING}, {"204"}),
    ("post", "/api/v1/retention/order"): (ACTING, {"200"}),
    ("post", "/api/v1/retention/explain"): (ACTING, {"200"}),
    ("post", "/api/v1/retention/runs"): (ACTING, {"202"}),
    ("post", "/api/v1/retention/runs/{run_id}/carry-on"): ({"run_id", *ACTING}, {"202"}),
    ("post", "/api/v1/retention/runs/{run_id}/allow"): ({"run_id", *ACTING}, {"202"}),
    ("post", "/api/v1/retention/runs/{run_id}/stop"): ({"run_id", *ACTING}, {"202"}),
}
REFUSALS: Final = {"401", "403", "404", "409", "413", "415", "422", "503"}  # of an act


@pytest.fixture
def document(client: Client) -> Any:
    return client.get("/api/v1/openapi.json").json()


def inside(value: Any) -> Iterator[tuple[str, Any]]:
    """Every name and value in a document."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name, inner
            yield from inside(inner)
    if isinstance(value, list):
        for inner in value:
            yield from inside(inner)


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, at in document["paths"].items():
        for method, operation in at.items():
            yield method, path, operation


def test_every_address_is_described_with_all_that_may_be_asked(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    found = {
        (method, path): {parameter["name"] for parameter in operation["parameters"]}
        for method, path, operation in operations(document)
    }
    acts = {where: parameters for where, (parameters, _) in ACTS.items()}
    assert found == {("get", path): parameters for path, parameters in READS.items()} | acts


def test_who_may_read_and_who_may_act_come_in_by_different_doors(document: Any) -> None:
    for method, _, operation in operations(document):
        assert operation["security"] == [{"Reader" if method == "get" else "Actor": []}]
    assert {scheme["name"] for scheme in document["components"]["securitySchemes"].values()} == {"sessionid"}


def test_every_operation_says_what_it_is_and_what_may_go_wrong(document: Any) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(ids)) == len(ids)
    for method, path, operation in operations(document):
        assert operation["summary"]
        assert operation["description"]
        refusals = {"401", "422", "503"} | ({"404"} if "{" in path else set())
        expected = {"200", *refusals} if method == "get" else {*ACTS[method, path][1], *REFUSALS}
        assert set(operation["responses"]) == expected
        for status, response in operation["responses"].items():
            problem = response.get("content", {}).get("application/problem+json")
            assert (int(status) < 300) == (problem is None)
            assert problem is None or problem["example"]["status"] == int(status)
        for parameter in operation["parameters"]:
            assert parameter["in"] == "path" or parameter["description"]


def test_every_reference_leads_somewhere(document: Any) -> None:
    references = [value for name, value in inside(document) if name == "$ref"]
    assert references
    for reference in references:
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def test_dates_say_what_they_rest_on(document: Any) -> None:
    tag = document["components"]["schemas"]["TagJson"]["properties"]
    for word in ("found", "created", "pushed", "seen"):
        assert f"{word}: " in tag["dated_by"]["description"]
    assert "2026-11-24T23:56:10Z" in str(tag["moved_at"])


def test_the_document_needs_no_rows(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client.get("/api/v1/openapi.json")
    with django_assert_num_queries(2):  # the session and whose it is
        client.get("/api/v1/openapi.json")


def test_the_page_is_for_whoever_may_read(client: Client, settings: Settings) -> None:
    page = Page(client.get("/api/v1/docs").content.decode())
    assert [script["src"] for script in page.all("script") if "swagger" in script["src"]]
    assert Client().get("/api/v1/docs")["Location"] == "/sign-in?next=/api/v1/docs"
    assert Client().get("/api/v1/openapi.json").status_code == 401
    settings.ANONYMOUS_READ = True
    for path in ("/api/v1/docs", "/api/v1/openapi.json", "/api/v1/repositories"):
        assert Client().get(path).status_code == 200


def test_every_page_leads_to_it(client: Client) -> None:
    assert reverse("api-docs") in Page(client.get("/").content.decode()).links
    assert reverse("api-docs") not in Page(Client().get("/sign-in").content.decode()).links


def test_the_page_is_clean(chromium: Browser, berth: tuple[str, Harbour]) -> None:
    context = chromium.new_context(reduced_motion="reduce")
    visit = Visit(context.new_page(), *berth)
    visit.sign_in()
    themes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for theme, width in product(themes, (1360, 390)):
        visit.page.emulate_media(color_scheme=theme)
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.go("/api/v1/docs")
        expect(visit.page.locator(".opblock")).to_have_count(len(READS) + len(ACTS))
        visit.check(f"/api/v1/docs, {theme}, {width} px")
    context.close()


def test_the_page_works_offline_under_the_policy(visit: Visit) -> None:
    """An operation can be tried, nobody else is asked, and the policy has nothing to report."""
    visit.go("/api/v1/docs")
    page = visit.page
    page.get_by_role("button", name="Tags of a repository").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_placeholder("registry").fill("local")
    page.get_by_placeholder("repository").fill("platform/api")
    page.get_by_placeholder("q", exact=True).fill("1.27.3")
    page.get_by_role("button", name="Execute").click()
    answer = page.locator(".live-responses-table")
    expect(answer).to_contain_text("1.27.3")
    expect(answer).to_contain_text("200")
    page.get_by_role("tab", name="Schema").first.click()
    page.locator("[data-theme-toggle]").click()
    expect(page.locator("html")).to_have_class("dark-mode")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert visit.complaints == []
    assert [request.url for request in visit.requests if not request.url.startswith(visit.origin)] == []


def test_without_scripts_the_page_leads_to_the_document(client: Client) -> None:
    html = client.get("/api/v1/docs").content.decode()
    assert "<noscript><p" in html
    assert reverse("api-openapi") in Page(html).links
