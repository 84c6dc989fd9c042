"""The storage of registries as machines read it: what adds up on the pages adds up here."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from api.answers import Listing
from api.storage import AllStorageJson, NamespaceStorageJson, RegistryStorageDetailJson, RepositoryStorageJson
from catalog.models import LargeImage
from registries.models import Registry
from tests.api.asking import ask, walk
from tests.web import furniture as make

NAMESPACES, REPOSITORIES = Listing[NamespaceStorageJson], Listing[RepositoryStorageJson]


@pytest.fixture
def counted(local: Registry) -> Registry:
    begin = timezone.now() - timedelta(hours=1)
    make.namespace(local, "team", pushed=100, stored=60, unique=50)
    make.namespace(local, "team/b", pushed=30, stored=30, unique=20)
    make.scan(local, pushed=100, stored=60, shared=10, repositories=2, images=3, tags=4, disk_bytes=90, disk_blobs=5)
    app = make.repository(local, "team/app", size=40, unique=30, pushed=70, first_seen=begin)
    make.repository(local, "team/b/deep", size=20, unique=20, pushed=30, first_seen=begin)
    presence = make.put(app, make.image(), "1")
    LargeImage.objects.create(registry=local, presence=presence, size=40, unique=30)
    return local


def test_a_registry_says_what_it_uses_and_what_lies_on_its_disk(client: Client, counted: Registry) -> None:
    make.registry("unread")
    [item] = ask(client, "/storage", AllStorageJson)["items"]
    assert item["pushed"] == item["unique"] + item["shared"] + item["saved"] == 100
    detail = ask(client, "/storage/local", RegistryStorageDetailJson)
    assert (detail["disk"]["bytes"], detail["disk"]["blobs"], detail["disk"]["beside"]) == (90, 5, 30)
    assert detail["disk"]["uploads"] is None
    assert {**item, "disk": detail["disk"]} == detail
    for path in ("unread", "nothing"):
        assert client.get(f"/api/v1/storage/{path}").status_code == 404
    make.scan(make.registry("other"), stored=5)
    assert [item["registry"] for item in ask(client, "/storage", AllStorageJson)["items"]] == ["local", "other"]
    assert ask(client, "/storage/other", RegistryStorageDetailJson)["disk"] is None


def test_namespaces_are_told_level_by_level(client: Client, counted: Registry) -> None:
    [item] = ask(client, "/storage/local/namespaces", NAMESPACES)["items"]
    assert (item["namespace"], item["unique"], item["shared"], item["saved"]) == ("team", 50, 10, 40)
    [below] = ask(client, "/storage/local/namespaces", NAMESPACES, namespace="team")["items"]
    assert below["namespace"] == "team/b"


def test_repositories_are_told_as_far_as_they_are_counted(
    client: Client, counted: Registry, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(10):
        items = ask(client, "/storage/local/repositories", REPOSITORIES)["items"]
    assert [(item["repository"], item["unique"], item["shared"]) for item in items] == [
        ("team/app", 30, 10),
        ("team/b/deep", 20, 0),
    ]
    assert client.get(items[0]["self"]).status_code == 200
    make.repository(counted, "team/new", size=9)
    items = ask(client, "/storage/local/repositories", REPOSITORIES, sort="-name")["items"]
    assert (items[0]["repository"], items[0]["unique"], items[0]["stored"]) == ("team/new", None, 9)
    forward, back = walk(client, "/storage/local/repositories", sort="size", limit=1, namespace="team")
    assert [item["repository"] for [item] in forward] == ["team/app", "team/b/deep", "team/new"]
    assert back == forward[::-1]
    assert client.get("/api/v1/storage/local/repositories?sort=pushed").status_code == 422
