from __future__ import annotations

import pytest

from catalog.models import NamespaceTotal
from catalog.reads.keyset import Order
from catalog.reads.totals import COLUMNS, namespace_totals, totals_in, totals_of
from registries.models import Registry
from tests.catalog.scanning import scan
from tests.pushing import Pusher
from tests.real_registry import RealRegistry
from tests.web import furniture as make


@pytest.fixture
def where(db: None) -> Registry:
    return make.registry("local")


def total(where: Registry, namespace: str, pushed: int, **more: int) -> NamespaceTotal:
    values = {"repositories": 1, "tags": 2, "images": 2, "pushed": pushed, "stored": pushed, "unique": pushed, **more}
    return make.namespace(where, namespace, **values)


def listed(where: Registry, parent: str = "", sort: str = "pushed") -> list[str]:
    return [row.namespace for row in namespace_totals(where, parent, Order.parse(sort, COLUMNS), None).rows]


@pytest.mark.django_db(transaction=True)
def test_what_was_pushed_adds_up_on_every_level(row: Registry, own_registry: RealRegistry) -> None:
    """Layers are shared in a repository, in a namespace, and between two: whose each is, is said once."""
    for name, layers in {
        "a/one": [b"base" * 50, b"of a" * 40, b"one"],
        "a/two": [b"base" * 50, b"of a" * 40, b"two"],
        "a/b/deep": [b"base" * 50, b"deep" * 30],
        "a/b": [b"base" * 50, b"both"],
        "c/app": [b"base" * 50, b"app"],
        "alone": [b"alone" * 20],
    }.items():
        push = Pusher(own_registry.url, name)
        push.image("1", layers=layers)
        push.image("2", layers=[*layers, f"more of {name}".encode()])
    scan(row)

    places = NamespaceTotal.objects.values_list("namespace", "parent", "has_below", "is_repository", "repositories")
    assert set(places) == {
        ("", "", False, False, 1),
        ("a", "", True, False, 4),
        ("a/b", "a", False, True, 1),
        ("c", "", False, False, 1),
    }
    whole = totals_of([row])
    assert whole is not None
    top = namespace_totals(row, "", Order.parse(None, COLUMNS), None).rows
    assert {total.namespace for total in top} == {"", "a", "c"}
    assert whole.pushed == sum(total.pushed for total in top) > whole.stored > 0
    assert whole.unique == sum(total.unique for total in top)
    assert whole.shared > 0
    parts = [(each.pushed, each.unique, each.shared, each.saved) for each in NamespaceTotal.objects.all()]
    for pushed, *made_up_of in [(whole.pushed, whole.unique, whole.shared, whole.saved), *parts]:
        assert pushed == sum(made_up_of)
        assert min(made_up_of) >= 0


def test_the_top_is_listed_and_what_is_right_below_a_namespace(where: Registry) -> None:
    for name, pushed in {"": 5, "a": 90, "a/b": 40, "a/b/c": 30, "a-b": 70, "a_c": 20, "a_c/d": 20}.items():
        total(where, name, pushed, unique=100 - pushed)
    total(make.registry("other"), "elsewhere", 1000)

    assert listed(where) == ["a", "a-b", "a_c", ""]
    assert listed(where, sort="unique") == ["", "a_c", "a-b", "a"]
    assert listed(where, "a") == ["a/b"]
    assert listed(where, "a/b") == ["a/b/c"]
    assert listed(where, "a_c") == ["a_c/d"]
    assert listed(where, "nothing") == []


def test_a_namespace_with_namespaces_below_it_says_so(where: Registry) -> None:
    for name in ("a", "a/b", "a/b/c", "a-b", "c"):
        total(where, name, 1)

    def below(parent: str) -> set[str]:
        rows = namespace_totals(where, parent, Order.parse(None, COLUMNS), None).rows
        return {row.namespace for row in rows if row.has_below}

    assert (below(""), below("a"), below("a/b")) == ({"a"}, {"a/b"}, set())


def test_the_totals_of_a_namespace_are_those_of_all_registries_asked_for(where: Registry) -> None:
    other = make.registry("other")
    total(where, "team", 100, stored=60, unique=50)
    total(other, "team", 10, stored=10, unique=4)
    scans = [make.scan(where)]

    both, one = totals_in([where, other], "team", scans), totals_in([where], "team", scans)

    assert both is not None
    assert (both.pushed, both.unique, both.shared, both.saved) == (110, 54, 16, 40)
    assert one is not None
    assert (one.pushed, one.unique, one.shared, one.saved) == (100, 50, 10, 40)
    assert one.as_of is not None
    assert totals_in([where], "nothing", scans) is None
