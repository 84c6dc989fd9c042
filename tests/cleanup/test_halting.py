"""Sweeps of a registry are stopped once, the alarm is raised once for each reason, and only staff lift it."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from audit.models import Entry
from cleanup.halting import halt, halted, lift
from cleanup.models import Halt
from notices import feeding
from notices.models import Notice
from tagging.permission import NotPermitted
from tests.notices import furniture as notices
from tests.web import furniture as make

pytestmark = pytest.mark.django_db


def acts() -> list[tuple[str, ...]]:
    return list(Entry.objects.order_by("pk").values_list("act", "actor", "registry", "why"))


def test_sweeps_of_one_registry_are_stopped_until_somebody_lifts_that() -> None:
    mine, other = make.registry("mine"), make.registry("other")
    row = halt(mine, "Check 7 found broken images.")

    assert halted(mine) == row
    assert halted(other) is None

    mara = make.person("mara", staff=True)
    assert lift(row, mara)
    assert halted(mine) is None
    assert not lift(row, mara)
    assert acts() == [
        ("halt", "", "mine", "Check 7 found broken images."),
        ("lift", "mara", "mine", "Check 7 found broken images."),
    ]
    row.refresh_from_db()
    assert row.lifted_by == "mara"


def test_the_same_again_raises_no_second_alarm_and_another_reason_does() -> None:
    registry = make.registry("mine")
    rows = [halt(registry, why) for why in ("One.", "One.", "Two.")]

    assert Halt.objects.count() == 1
    assert {row.why for row in rows} == {"One."}
    assert [why for *_, why in acts()] == ["One.", "Two."]


def test_after_it_was_lifted_the_same_stops_them_again() -> None:
    registry = make.registry("mine")
    lift(halt(registry, "One."), make.person("mara", staff=True))
    halt(registry, "One.")

    assert halted(registry) is not None
    assert [act for act, *_ in acts()] == ["halt", "lift", "halt"]


def test_only_staff_lift_it() -> None:
    registry = make.registry("mine")
    with pytest.raises(NotPermitted):
        lift(halt(registry, "One."), make.person("ana"))
    assert halted(registry) is not None


def test_whoever_wants_to_hear_of_broken_images_is_told() -> None:
    notices.recipient(wishes=["broken"])
    notices.recipient(wishes=["push"])
    halt(make.registry("mine"), "\x1b[31mCheck 7 found broken images.")
    feeding.feed(timezone.now())

    (told,) = Notice.objects.all()
    data: dict[str, Any] = told.data
    assert (told.event_type, told.subject) == ("io.berth.images.broken", "mine")
    assert (data["kind"], data["why"]) == ("broken", "[31mCheck 7 found broken images.")
