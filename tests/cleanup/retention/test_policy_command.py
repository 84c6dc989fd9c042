"""Policies at a terminal."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cleanup.models import Policy
from cleanup.retention.terms import Terms
from tests.web import furniture as make

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
TERMS = {"repositories": ["*"], "rules": [{"tags": ["1.*"], "newest": 3}]}


def does(patched: pytest.MonkeyPatch, *arguments: str, given: Any = "") -> str:
    out = StringIO()
    patched.setattr("sys.stdin", StringIO(given if isinstance(given, str) else json.dumps(given)))
    call_command("retentionpolicy", *arguments, stdout=out)
    return out.getvalue()


def test_a_policy_is_set_up_shown_changed_switched_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    make.registry()
    for name in ("app", "other"):
        does(monkeypatch, "save", "local", name, given=TERMS)
    shown = json.loads(does(monkeypatch, "show", "app"))
    assert Terms.read(shown) == Terms.read(TERMS)

    does(monkeypatch, "off", "app")
    does(monkeypatch, "save", "local", "app", given={**shown, "may_empty": True})
    row = Policy.objects.get(name="app")
    assert (row.is_on, row.read().may_empty) == (False, True)
    does(monkeypatch, "on", "app")
    does(monkeypatch, "order", "local", "other")
    assert list(Policy.objects.in_order().values_list("name", "is_on")) == [("other", True), ("app", True)]
    does(monkeypatch, "remove", "app")
    assert Policy.objects.get().name == "other"


@pytest.mark.parametrize(
    ("arguments", "given", "why"),
    [
        (("save", "nowhere", "app"), TERMS, "no registry of ours is called nowhere"),
        (("save", "local", "App"), TERMS, "name: A name is made of"),
        (("save", "local", "app"), "{", "no JSON"),
        (("save", "local", "app"), [], "terms: It has to be an object"),
        (("save", "local", "app"), {**TERMS, "keep": 1}, "keep: Nothing of that name"),
        (("show", "app"), "", "no policy is called app"),
        (("order", "local", "app"), "", "no policy is called app"),
    ],
)
def test_what_cannot_be_done_is_said(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], given: Any, why: str
) -> None:
    make.registry()
    with pytest.raises(CommandError, match=why) as fault:
        does(monkeypatch, *arguments, given=given)

    assert (fault.value.returncode, Policy.objects.count()) == (2, 0)
