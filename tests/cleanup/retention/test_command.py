"""Retention at a terminal: the plan with its reasons, and what came of it."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cleanup.models import Policy, RetentionRun
from tests.cleanup.retention.furniture import policy
from tests.cleanup.retention.test_running import TEN, pushed
from tests.tagging.acting import Actor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


def said(*arguments: Any, **options: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("retention", *arguments, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_a_plan_says_why_and_is_carried_out_as_it_was_printed(actor: Actor) -> None:
    pushed(actor, {**TEN, "main": 50})
    policy(actor.row, "app", {"tags": ["1.*"], "newest": 8})

    out, err = said("local", plan=True)

    lines = out.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [
        ["TAG", "RESULT"],
        ["team/app:1.0", "delete"],
        ["team/app:1.1", "delete"],
    ]
    assert "app: no condition of the rule on 1.* keeps it" in lines[1]
    assert lines[3].startswith("Stays, among the newest 8 of 1.*: 8 (team/app:1.2, ")
    assert "Stays, no rule speaks of it: 1 (team/app:main)." in lines
    assert lines[-1].startswith("2 tags go and 9 stay; that frees ")
    assert "2 tags would go from 1 repositories, 9 stay." in err
    assert actor.listed() == {*TEN, "main"}

    out, err = said("local", carry_out=RetentionRun.objects.get().pk)
    assert "2 tags deleted, 9 stay." in err
    assert [line.split()[1] for line in out.splitlines()[1:3]] == ["deleted", "deleted"]
    assert len(actor.listed()) == 9


def test_what_takes_a_yes_goes_with_yes(actor: Actor) -> None:
    pushed(actor, TEN)
    policy(actor.row, "app", {"tags": ["1.*"], "newest": 2}, is_on=False)
    assert "0 tags go" in said("local")[0]

    with pytest.raises(CommandError, match="Say --yes") as fault:
        said("local", policy="app")
    assert fault.value.returncode == 1
    assert len(actor.listed()) == 10
    assert "8 tags deleted" in said("local", yes=True)[1]
    assert actor.listed() == {"1.8", "1.9"}


def test_what_cannot_be_begun_is_said(actor: Actor) -> None:
    for arguments, why in ((("nowhere",), "no registry"), (("local",), "has no policy")):
        with pytest.raises(CommandError, match=why) as fault:
            said(*arguments)
        assert fault.value.returncode == 2
    policy(actor.row, "app")
    with pytest.raises(CommandError, match="there are: app"):
        said("local", policy="other")
    assert "app" in said("local", list=True)[0]
    with pytest.raises(CommandError, match="no complete scan") as fault:
        said("local", plan=True)
    assert fault.value.returncode == 1
    assert Policy.objects.count() == 1
