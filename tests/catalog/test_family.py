from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from catalog.models import Manifest, Repository
from catalog.reads.family import MOST, Family, family_of
from registries.models import Registry
from tests.web import furniture as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def local() -> Registry:
    return make.registry("local")


@pytest.fixture
def base(local: Registry) -> Repository:
    return make.repository(local, "base/debian")


def names(family: Family) -> tuple[list[str], list[str]]:
    return tuple(  # type: ignore[return-value]  # two of them
        [f"{row.presence.repository.name}:{row.presence.lead_tag} {row.layers}" for row in some]
        for some in (family.bases, family.derived)
    )


def of(layers: str) -> make.Built:
    return make.image([(letter, 1) for letter in layers])


def test_an_image_builds_on_those_whose_layers_are_its_first(local: Registry, base: Repository) -> None:
    app = make.repository(local, "team/app")
    debian, python, mine = of("a"), of("ab"), of("abc")
    make.put(base, debian, "12")
    make.put(make.repository(local, "base/python"), python, "3.11")
    make.put(app, mine, "1.0")
    make.put(app, of("abcd"), "1.1")
    make.put(app, of("bc"), "other")
    make.put(app, of("xbc"), "same-place")

    assert names(family_of(mine.row, [local])) == (["base/python:3.11 2", "base/debian:12 1"], ["team/app:1.1 3"])
    assert names(family_of(debian.row, [local])) == (
        [],
        ["team/app:1.1 1", "team/app:1.0 1", "base/python:3.11 1"],
    )


def test_a_platform_is_named_by_the_index_that_lists_it(local: Registry, base: Repository) -> None:
    amd, arm = of("a"), of("r")
    make.put(base, make.index([("linux/amd64", amd), ("linux/arm64", arm)]), "12", "bookworm")
    for child in (amd, arm):
        make.put(base, child)
    mine = of("ab")
    make.put(make.repository(local, "team/app"), mine, "1.0")

    assert names(family_of(mine.row, [local]))[0] == ["base/debian:12 1"]
    assert names(family_of(amd.row, [local])) == ([], ["team/app:1.0 1"])
    assert names(family_of(arm.row, [local])) == ([], [])


def test_places_are_counted_and_other_registries_are_not(local: Registry, base: Repository) -> None:
    debian, mine = of("a"), of("ab")
    make.put(base, debian, "12")
    make.put(make.repository(local, "copy/debian"), debian, "12")
    make.put(make.repository(make.registry("retired"), "debian"), debian, "12")
    make.put(make.repository(local, "team/app"), mine, "1.0")

    (found,) = family_of(mine.row, [local]).bases
    assert (found.presence.repository.name, found.others) == ("base/debian", 1)


def test_what_has_no_layers_or_no_tag_has_no_family(local: Registry, base: Repository) -> None:
    make.put(base, of("a"))
    mine = of("ab")
    make.put(base, mine, "1")

    assert family_of(mine.row, [local]) == Family()
    assert family_of(make.image([]).row, [local]) == Family()
    assert family_of(make.index([("linux/amd64", mine)]).row, [local]) == Family()
    assert Manifest.objects.get(pk=mine.row.pk).layers_key != 0


def test_many_that_build_on_it_cost_as_many_queries(
    local: Registry, base: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    debian = of("a")
    make.put(base, debian, "12")
    for number in range(MOST + 5):
        make.put(base, make.image([("a", 1), (f"layer {number}", 1)]), f"app-{number}")
    with django_assert_max_num_queries(9):
        family = family_of(debian.row, [local])
    assert len(family.derived) == MOST
    assert family.has_more
