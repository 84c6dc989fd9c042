"""Plans that are carried out at the same moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalog.apart import prepare, scan_apart
from tests.real_registry import RealRegistry, generations_in_turn
from tests.tagging.apart import carried_apart
from tests.tagging.killing import KEPT, push

TAGS = 20


@pytest.mark.parametrize("generation", generations_in_turn())
def test_two_people_delete_different_aliases_of_one_digest_at_once(tmp_path: Path, generation: str) -> None:
    with RealRegistry(tmp_path / "registry", generation) as registry:
        names = push(registry.url, TAGS)
        prepare(tmp_path / "data", registry.url)
        assert scan_apart(tmp_path / "data").state == "done"

        (end,) = carried_apart(tmp_path / "data", registry.url, TAGS, "--at-once", "different")

    assert end == {
        "messages": ["Done: 10 of 10."] * 2,
        "recorded": sorted(names),
        "trash": sorted(names),
        "live": sorted(KEPT),
        "listed": sorted(KEPT),
    }


@pytest.mark.parametrize("generation", generations_in_turn())
def test_one_plan_carried_out_twice_at_once_does_nothing_twice(tmp_path: Path, generation: str) -> None:
    with RealRegistry(tmp_path / "registry", generation) as registry:
        names = push(registry.url, TAGS)
        prepare(tmp_path / "data", registry.url)
        assert scan_apart(tmp_path / "data").state == "done"

        (end,) = carried_apart(tmp_path / "data", registry.url, TAGS, "--at-once", "same")

    gone, rest = sorted(names[:10]), sorted([*names[10:], *KEPT])
    assert end == {"messages": ["Done: 10 of 10."], "recorded": gone, "trash": gone, "live": rest, "listed": rest}


@pytest.mark.parametrize("generation", generations_in_turn())
def test_two_plans_for_the_same_tags_record_each_of_them_once(tmp_path: Path, generation: str) -> None:
    with RealRegistry(tmp_path / "registry", generation) as registry:
        names = push(registry.url, TAGS)
        prepare(tmp_path / "data", registry.url)
        assert scan_apart(tmp_path / "data").state == "done"

        (end,) = carried_apart(tmp_path / "data", registry.url, TAGS, "--at-once", "overlapping")

    gone, rest = sorted(names[:10]), sorted([*names[10:], *KEPT])
    assert str(end.pop("messages")).count("Done: ") == 2
    assert end == {"recorded": gone, "trash": gone, "live": rest, "listed": rest}
