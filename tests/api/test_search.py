from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from api.search import SearchJson
from catalog.models import Repository
from tests.api.asking import ask
from tests.web import furniture as make


@pytest.fixture(autouse=True)
def filled(app: Repository) -> None:
    labels = {**make.config(), "config": {"Labels": {"org.example.team": "harbour"}}}
    make.put(app, make.image([("one", 1)], labels), "1.27.3", "latest")
    make.put(app, make.image([("two", 1)]), *[f"build-{number:03}" for number in range(70)])
    make.settle(app)


def test_everything_is_found_at_once(client: Client, app: Repository) -> None:
    body = ask(client, "/search", SearchJson, q="1.27")
    assert [tag["name"] for tag in body["tags"]] == ["1.27.3"]
    assert client.get(body["tags"][0]["manifest"]).status_code == 200
    (found,) = ask(client, "/search", SearchJson, q="app")["repositories"]
    assert (found["name"], found["tag_count"]) == ("team/app", 72)
    assert client.get(found["self"]).status_code == 200
    (image,) = ask(client, "/search", SearchJson, q="label:team=harbour")["images"]
    assert (image["tag"], image["kind"]) == ("1.27.3", "image")
    assert client.get(image["manifest"]).status_code == 200
    assert ask(client, "/search", SearchJson, q="platform:plan9")["unknown"] == ["platform:plan9"]


def test_a_pasted_command_is_explained(client: Client, app: Repository) -> None:
    said = ask(client, "/search", SearchJson, q="docker pull team/app")["reference"]
    assert (said["registry"], said["repository"], said["tag"]) == ("docker.io", "team/app", "latest")
    assert said["filled_in"] == ["registry", "tag"]
    assert [here["digest"] is not None for here in said["here"]] == [True]


def test_tags_are_paged(client: Client) -> None:
    asked: dict[str, str | int] = {"q": "build-", "in": "tags", "limit": 30}
    body = ask(client, "/search", SearchJson, **asked)
    forward = [tag["name"] for tag in body["tags"]]
    while body["next"]:
        body = client.get(body["next"]).json()
        forward += [tag["name"] for tag in body["tags"]]
    assert len(forward) == len(set(forward)) == 70


@pytest.mark.parametrize(
    "query", ["", "q=a&in=images", "q=a&limit=0", "q=a&cursor=x&in=tags", f"q={'a' * 501}", "q=a%00b"]
)
def test_what_has_no_meaning_is_refused(client: Client, query: str) -> None:
    answer = client.get(f"/api/v1/search?{query}")
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("q", ["app", "1.27", "docker pull team/app:1", "label:a=b", "sha256:12", "*/app:1.*"])
def test_a_search_costs_ten_queries_at_most(
    client: Client, q: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(10):
        client.get("/api/v1/search", {"q": q})
