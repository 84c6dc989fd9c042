from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from pytest_django import DjangoAssertNumQueries

from catalog.models import NamespaceTotal
from catalog.reads.namespaces import MOST, Level, levels_of, tree_at
from registries.models import Registry
from tests.web import furniture as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def where() -> Registry:
    return make.registry("local")


def paths(level: Level) -> list[str]:
    return [place.path for place in level.namespaces]


def test_the_tree_opens_at_a_namespace(where: Registry) -> None:
    for name in ("", "a", "a/b", "a/b/c", "a/b/c/d", "a/x", "b"):
        make.namespace(where, name)
    top, inside = tree_at([where], ""), tree_at([where], "a/b")
    assert (paths(top.below), top.path, top.beside.namespaces, top.here) == (["a", "b"], (), (), None)
    assert [place.path for place in inside.path] == ["a", "a/b"]
    assert (paths(inside.below), paths(inside.beside)) == (["a/b/c"], ["a/x"])
    assert inside.here is inside.path[-1]
    assert [(place.name, place.has_below) for place in inside.path] == [("a", True), ("b", True)]


def test_what_was_not_counted_is_not_in_the_tree(where: Registry) -> None:
    make.namespace(where, "a")
    tree = tree_at([where], "a/new/one")
    assert ([place.path for place in tree.path], tree.here) == (["a"], None)
    assert tree_at([where], "nowhere").is_empty is False  # what lies beside it is shown
    assert tree_at([], "").is_empty


def test_the_places_of_several_registries_are_added_up(where: Registry) -> None:
    others = [make.registry(f"other-{number}") for number in range(3)]
    for number, registry in enumerate([where, *others]):
        for name in range(MOST + 20):
            make.namespace(registry, f"team-{name:03}", repositories=number)
    NamespaceTotal.objects.filter(registry=others[1], namespace="team-005").update(is_repository=True)
    first = tree_at([where, *others], "").below
    assert paths(first) == [f"team-{name:03}" for name in range(MOST)]
    assert {place.repositories for place in first.namespaces} == {6}
    assert [place.registry for place in first.namespaces if place.registry] == ["other-1"]
    second = tree_at([where, *others], "", first.next).below
    assert (len(second.namespaces), second.next) == (20, "")
    assert tree_at([where], "").below.namespaces[5].registry == ""


def test_the_tree_takes_few_queries(where: Registry, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for name in ("a", *(f"a/{number}" for number in range(200))):
        make.namespace(where, name)
    with django_assert_num_queries(1):
        tree_at([where], "")
    with django_assert_num_queries(3):
        tree = tree_at([where], "a/7")
    assert paths(tree.beside)[0] == "a/0"
    assert tree.beside.next == paths(tree.beside)[-1]


def test_levels_are_whole_names() -> None:
    assert levels_of("a/b/c") == ["a", "a/b", "a/b/c"]
    assert levels_of("") == []


def test_the_migration_places_what_was_counted_before(where: Registry) -> None:
    make.repository(where, "a/b")
    for name in ("", "a", "a/b", "c"):
        make.namespace(where, name)
    wanted = sorted(NamespaceTotal.objects.values_list("namespace", "parent", "has_below", "is_repository"))
    NamespaceTotal.objects.update(parent="", has_below=False, is_repository=False)
    import_module("catalog.migrations.0004_repository_card").place_namespaces(apps, None)
    found = sorted(NamespaceTotal.objects.values_list("namespace", "parent", "has_below", "is_repository"))
    assert (
        found
        == wanted
        == [("", "", False, False), ("a", "", True, False), ("a/b", "a", False, True), ("c", "", False, False)]
    )
