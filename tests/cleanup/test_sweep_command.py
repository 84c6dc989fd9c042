"""The command `sweep`, as a person types it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.management import CommandError, call_command

from cleanup.halting import halt
from cleanup.models import Sweep, SweepTerms
from cleanup.sweeping import services
from tests.cleanup.ground import SweptRegistry
from tests.real_registry import RealRegistry

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.any_database]


class Said(NamedTuple):
    out: list[str]
    err: list[str]
    code: int = 0
    refusal: str = ""


@pytest.fixture
def registry(tmp_path: Path, transactional_db: None) -> Iterator[SweptRegistry]:
    with RealRegistry(tmp_path / "registry") as real:
        swept = SweptRegistry(real)
        SweepTerms.objects.update(settle_seconds=0)
        app = swept.push()
        app.image("kept", seed="kept")
        swept.delete("team/app", app.image(seed="old", layers=[b"old"]))
        swept.age()
        yield swept


def sweep(*words: str) -> Said:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("sweep", *words, stdout=out, stderr=err)
    except CommandError as error:
        return Said(out.getvalue().splitlines(), err.getvalue().splitlines(), error.returncode, str(error))
    return Said(out.getvalue().splitlines(), err.getvalue().splitlines())


def test_it_plans_moves_aside_puts_back_and_deletes(registry: SweptRegistry) -> None:
    before = registry.blobs
    said = sweep("main", "--plan")
    planned = Sweep.objects.get()
    assert [line.split("\t")[0] for line in said.out] == ["goes", "goes"]
    assert said.out[0].endswith("\tteam/app")
    assert said.err[-1] == f"To carry it out: ./run manage sweep main --carry-out {planned.pk}"
    assert planned.is_by_command

    said = sweep("main", "--carry-out", str(planned.pk))
    assert said.code == 0, said.refusal
    assert [line.split("\t")[0] for line in said.out] == ["aside", "aside"]
    assert said.err[-2:] == [
        f"To put it back: ./run manage sweep main --undo {planned.pk}",
        f"To delete it now: ./run manage sweep main --delete-now {planned.pk}",
    ]

    assert sweep("main", "--undo", str(planned.pk)).code == 0
    assert registry.blobs == before

    registry.age()
    assert sweep("main", "--hold-hours", "2", "--quiet").err == []
    held = Sweep.objects.newest_first().first()
    assert held is not None
    assert len(registry.aside) == 2
    assert sweep("main", "--delete-now", str(held.pk)).err[-1].startswith("2 blobs were deleted")
    assert registry.aside == set()


def test_what_it_does_not_know_it_refuses(registry: SweptRegistry) -> None:
    assert sweep("nowhere").refusal == "no registry of ours is called nowhere; `registry list` names them"
    assert sweep("main", "--undo", "7") == Said([], [], 2, "main has no sweep 7")
    assert sweep("main", "--grace-hours", "0").refusal == "--grace-hours is from 1 to 8,784"
    assert sweep("main", "--hold-hours", "-1").code == 2


def test_it_says_why_it_refuses_and_ends_so(registry: SweptRegistry) -> None:
    halt(registry.row, "Something is broken.")
    said = sweep("main")
    assert (said.code, said.refusal) == (
        2,
        "Sweeps of this registry are stopped: Something is broken. Nothing was deleted.",
    )


def test_a_registry_that_cannot_be_swept_ends_with_one(registry: SweptRegistry) -> None:
    SweepTerms.objects.update(processes="")
    said = sweep("main")
    assert said.code == 1
    assert said.refusal.startswith("Nobody has said how many processes")


def test_where_another_sweep_is_under_way_nothing_of_this_one_is_done(registry: SweptRegistry) -> None:
    sweep("main")
    held = Sweep.objects.get()
    _, job = services.begin(registry.row)
    said = sweep("main", "--undo", str(held.pk))
    assert (said.code, said.refusal) == (2, f"“{job.title}” is under way. Wait until it has ended, or stop it.")
