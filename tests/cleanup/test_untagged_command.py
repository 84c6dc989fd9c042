"""The command `untagged`, as a person types it."""

from __future__ import annotations

import io
import json
from typing import NamedTuple

import pytest
from django.core.management import CommandError, call_command

from cleanup.models import UntaggedRun
from tests.cleanup.untagging import age
from tests.tagging.acting import Actor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


class Said(NamedTuple):
    out: list[str]
    err: list[str]
    code: int = 0
    refusal: str = ""


def untagged(*words: str) -> Said:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("untagged", *words, stdout=out, stderr=err)
    except CommandError as error:
        return Said(out.getvalue().splitlines(), err.getvalue().splitlines(), error.returncode, str(error))
    return Said(out.getvalue().splitlines(), err.getvalue().splitlines())


def test_it_plans_says_how_to_go_on_and_carries_out(actor: Actor) -> None:
    actor.push.image("stays", seed="stays", layers=[b"shared"])
    digest = actor.push.image(seed="alone", layers=[b"shared", b"its own"])
    actor.scan()
    age(actor)

    said = untagged("test", "--plan")

    why = "no tag, index, subject, trash entry or pin reaches it"
    run = UntaggedRun.objects.get()
    assert said.out[:-1] == [
        f"goes\tteam/app@{digest}\t{why}",
        "By the storage folder, so all that lies there was looked at.",
    ]
    document = json.loads(actor.push.fetch(digest))
    assert run.frees == document["config"]["size"] + document["layers"][1]["size"]  # the first layer is the other's too
    assert said.out[-1] == f"A sweep can free {run.frees:,} bytes by this."
    assert said.err[-2:] == [
        "1 of 2 manifests would go. Repositories left alone: 0.",
        f"To carry it out: ./run manage untagged test --carry-out {run.pk}",
    ]
    assert actor.gets(digest)

    said = untagged("test", "--carry-out", str(run.pk))

    assert (said.code, said.out[0]) == (0, f"done\tteam/app@{digest}\t{why}")
    assert said.err[-1].startswith("Deleted: 1 of 1.")
    assert not actor.gets(digest)


def test_without_the_folder_it_says_what_it_did_not_look_at(without_folder: Actor) -> None:
    without_folder.push.image("stays")
    without_folder.scan()

    said = untagged("test", "--quiet")

    assert said.out[0] == (
        "By the catalog, so what no scan has ever seen was not looked at. No storage folder of this registry is named."
    )
    assert said.err == []


def test_what_it_does_not_know_it_refuses(actor: Actor) -> None:
    assert untagged("nowhere").code == 2
    assert untagged("test", "--carry-out", "7") == Said([], [], 2, "test has no run 7")
    assert untagged("test", "--grace-hours", "-1").code == 2
    assert not UntaggedRun.objects.exists()


def test_grace_is_what_it_is_told(actor: Actor) -> None:
    actor.push.image("stays", seed="stays")
    digest = actor.push.image(seed="alone")
    actor.scan()

    assert untagged("test", "--quiet").code == 0
    assert actor.gets(digest)
    assert untagged("test", "--quiet", "--grace-hours", "0").code == 0
    assert not actor.gets(digest)
