from __future__ import annotations

import base64
import json

import pytest
from django.test import Client

from registries.models import Registry
from tests.web import furniture as make

HEX = "a" * 64
PATHS = [
    "/r/../admin",
    "/r/local/../../etc/passwd",
    "/r/local/%2e%2e/admin",
    "/r/local/%252e%252e/admin",
    "/r/local/team%2fapp%2f..",
    "/r/local/team/app%00",
    "/r/local/team/app%0a",
    "/r/local/team/app%0d%0aSet-Cookie:a=b",
    "/r/local/team/app/",
    "/r/local//team/app",
    "/r/local/Team/App",
    "/r/local/team/äpp",
    "/r/local/team/-",
    "/r/local/-/tags/1.0",
    "/r/local/team/app/-",
    "/r/local/team/app/-/",
    "/r/local/team/app/-/tags",
    "/r/local/team/app/-/tags/",
    "/r/local/team/app/-/tags/a/b",
    "/r/local/team/app/-/tags/.hidden",
    "/r/local/team/app/-/tags/-x",
    "/r/local/team/app/-/tags/1.0%0a",
    "/r/local/team/app/-/tags/1.0%00",
    "/r/local/team/app/-/tags/" + "a" * 129,
    "/r/local/team/app/-/tags/%3Cscript%3E",
    "/r/local/team/app/-/tags/{{7*7}}",
    "/r/local/team/app/-/manifests/sha256:",
    "/r/local/team/app/-/manifests/sha512:",
    "/r/local/team/app/-/manifests/sha256:abc",
    f"/r/local/team/app/-/manifests/sha256:{HEX}",
    f"/r/local/team/app/-/manifests/sha256:{HEX}a",
    f"/r/local/team/app/-/manifests/sha256:{HEX.upper()}",
    f"/r/local/team/app/-/manifests/sha512:{HEX}",
    f"/r/local/team/app/-/manifests/sha256:{HEX}{HEX}",
    f"/r/local/team/app/-/manifests/md5:{HEX[:32]}",
    f"/r/local/team/app/-/manifests/sha256:{HEX}%0a",
    f"/r/local/team/app/-/manifests/sha256:{HEX}/raw",
    f"/r/local/team/app/-/manifests/sha256:{HEX}/config",
    f"/r/local/team/app/-/manifests/sha256:{HEX}/raw/x",
    "/r/Local/team/app",
    "/r/lo_cal/team/app",
    "/r/local%0a",
    "/r/local/" + "a" * 256,
    "/r/local/" + "a/" * 200 + "a",
    "/r/local/" + "a-" * 5000,
    "/r/" + "a-" * 5000,
    "/jobs/0",
    "/jobs/-1",
    "/jobs/1e3",
    "/jobs/" + "9" * 400,
    "/jobs/99999999999999999999",
    "/jobs/٣",
    "/jobs/1/../../admin",
    "/registries/local/",
    "/registries/Local",
    "/registries/local%0a",
    "/registries/none",
    "/registries/local/scans/",
    "/registries/local/scans/0",
    "/registries/local/scans/-1",
    "/registries/local/scans/99999999999999999999",
    "/registries/local/scans/" + "9" * 400,
    "/registries/local/scans/1/..",
    "/registries/none/scans",
    "/registries/none/watched",
    "/%2f%2fevil.example.org",
    "/sign-in/",
    "/static/../registry_ui/settings.py",
    "/static/%2e%2e/registry_ui/settings.py",
]

ASKED = [
    "/",
    "/r/local",
    "/r/local/team/app",
    "/r/local/team/app/-/tags/1.0",
    "/jobs",
    "/registries/local",
    "/registries/local/scans",
    "/registries/local/watched",
]


QUERIES = [
    "q=%00",
    "q=%ff%fe",
    "q=%25%5f",
    "q=" + "x" * 5000,
    "q=%F0%9F%9A%A2",
    "ns=%00",
    "ns=..%2f..",
    "sort=%00",
    "sort=name;drop",
    "page=%00",
    "page=AAAA",
    "state=%00",
    "kind=__class__",
    "platform=%00%0a",
    "as=../../etc/passwd",
    "show=%00",
    "show=new%27--",
]


def test_a_hostile_path_is_not_there(client: Client, local: Registry) -> None:
    make.put(make.repository(local, "team/app"), make.image(), "1.0")
    answers = {path: client.get(path).status_code for path in PATHS}
    assert {path: status for path, status in answers.items() if status not in {400, 404}} == {}


@pytest.mark.parametrize("path", ASKED)
def test_a_hostile_query_is_no_fault(client: Client, local: Registry, path: str) -> None:
    make.put(make.repository(local, "team/app"), make.image(), "1.0")
    answers = {query: client.get(f"{path}?{query}").status_code for query in QUERIES}
    assert {query: status for query, status in answers.items() if status != 200} == {}


@pytest.mark.parametrize(("path", "sort"), [("/", "changed"), ("/r/local/team/app", "date")])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_page_that_begins_outside_of_time_is_page_one(
    client: Client, local: Registry, path: str, sort: str, moment: str
) -> None:
    make.put(make.repository(local, "team/app"), make.image(), "1.0")
    token = base64.urlsafe_b64encode(json.dumps([sort, 0, moment, 1]).encode()).decode().rstrip("=")
    assert "data-row" in client.get(f"{path}?page={token}").content.decode()


def test_a_digest_counts_only_in_its_own_repository(client: Client, local: Registry) -> None:
    built = make.image()
    make.put(make.repository(local, "team/app"), built, "1.0")
    make.repository(local, "team/other")
    for part in ("", "/raw", "/config"):
        assert client.get(f"/r/local/team/app/-/manifests/{built.row.digest}{part}").status_code == 200
        assert client.get(f"/r/local/team/other/-/manifests/{built.row.digest}{part}").status_code == 404


@pytest.mark.parametrize(
    "name", ["app", "a/b/c/d", "tags", "team/tags", "manifests/jobs", "jobs", "r", "a--b/c__d", "tags/1.0", "sign-in"]
)
def test_names_may_look_like_routes(client: Client, local: Registry, name: str) -> None:
    where = make.repository(local, name)
    built = make.image()
    make.put(where, built, "tags", "manifests")
    for url in (
        f"/r/local/{name}",
        f"/r/local/{name}/-/tags/tags",
        f"/r/local/{name}/-/tags/manifests",
        f"/r/local/{name}/-/manifests/{built.row.digest}",
    ):
        response = client.get(url)
        assert response.status_code == 200, url
        assert name in response.content.decode()


@pytest.mark.parametrize(
    "next_url", ["//evil.example.org", "https://evil.example.org", "javascript:alert(1)", "/\\evil"]
)
def test_signing_in_leads_nowhere_else(db: None, next_url: str) -> None:
    make.person("mara")
    response = Client().post("/sign-in", {"username": "mara", "password": make.PASSWORD, "next": next_url})
    assert (response.status_code, response["Location"]) == (302, "/")
