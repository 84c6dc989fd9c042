"""Why a tag points where it does, as far as anybody told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from catalog.models import Presence, Repository, TagSpan
from registries.models import Registry
from tests.audit.entries import D2, D3, told
from tests.web import furniture as make
from tests.web.pages import Page

WHY = "/r/local/team/app/-/tags/1.0/history"


@pytest.fixture
def app(local: Registry) -> Repository:
    app = make.repository(local, "team/app")
    make.put(app, make.image(settings=make.config()), "1.0", "latest", "stable")
    return make.settle(app)


def digest_in(app: Repository) -> str:
    return app.presences.get().manifest.digest


def tell(app: Repository, key: str, **more: Any) -> None:
    told(key, registry_id=app.registry_id, **{"digest_after": digest_in(app), **more})


def words(client: Client) -> str:
    return Page(client.get(WHY).content.decode()).words


def test_it_says_who_pushed_it_what_it_replaced_and_what_came_along(client: Client, app: Repository) -> None:
    now = timezone.now()
    tell(app, "long ago", tag="1.0", act="push", digest_after=D2, actor="old")
    tell(app, "1", act="move", digest_before=D2, actor="ana", claimed_at=now)
    tell(app, "2", act="push", tag="latest")
    tell(app, "3", act="push", tag="much-later", at=now + timedelta(hours=1))
    tell(app, "4", act="push", tag="elsewhere", repository="team/other")
    tell(app, "5", act="push", tag="other-digest", digest_after=D3)
    tell(app, "6", act="protect", source="berth", actor="ben", why="it is released")
    tell(app, "7", act="pull", count=4, actor="deploy", tag="")
    tell(app, "8", act="pull", actor="deploy")
    tell(app, "9", act="pull", actor="elsewhere", repository="team/other")
    Presence.objects.update(pulls=5, pulled=now)
    said = words(client)
    for part in (
        "moved the tag · ana",
        "it is claimed 10.0.0.7 · docker/28.1.1",
        "What it replaced bbbbbbbbbbbb",
        "What moved with it within ten minutes latest What Berth did to it protected · ben",
        "5 pulls · the last just now",
        "deploy · 5 pulls · the last just now",
    ):
        assert part in said, part
    assert "much-later" not in said
    assert "elsewhere" not in said
    assert "other-digest" not in said


def test_what_nobody_told_is_not_made_up(client: Client, app: Repository) -> None:
    assert "no event told of one" in words(client)
    tag = app.tags.get(name="1.0")
    now = timezone.now()
    TagSpan.objects.filter(repository=app).delete()
    span = TagSpan.objects.create(tag=tag, repository=app, manifest=app.presences.get().manifest, began=now)
    assert "It was there when Berth first looked." in words(client)
    assert "before the first scan found by a scan" in words(client)
    other = app.tags.get(name="latest")
    TagSpan.objects.create(tag=other, repository=app, manifest=span.manifest, began=now - timedelta(days=1), ended=now)
    assert "no event told of it" in words(client)
    tell(app, "1", act="change", source="scan", actor="", since=now - timedelta(hours=1))
    assert "changed, and no event told so · between" in words(client)


def test_who_has_not_signed_in_is_told_of_no_person(app: Repository, settings: Settings) -> None:
    settings.ANONYMOUS_READ = True
    who = {"actor": "secret-person", "address": "10.9.8.7", "user_agent": "secret-agent"}
    tell(app, "1", act="push", **who)
    tell(app, "2", act="pull", **who)
    said = words(Client())
    assert "pushed" in said
    assert "secret" not in said
    assert "10.9.8.7" not in said


def test_it_takes_ten_queries_at_most(
    client: Client, app: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        tell(app, f"push {number}", tag=f"1.{number}")
        tell(app, f"pull {number}", act="pull", actor=f"ci-{number}")
    with django_assert_max_num_queries(10):
        client.get(WHY)
