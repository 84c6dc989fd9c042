"""The command `syncrule`, as a person types it."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.models import Entry
from jobs.schedule import Schedule
from oci.transfer.selection import Selection
from registries.models import Registry
from sync.choosing import Choice
from sync.details import Details
from sync.models import Rule
from sync.rule_documents import ChoiceDocument, RuleDocument, RuleSaid, ScheduleDocument, SelectionDocument
from sync.terms import Terms

pytestmark = pytest.mark.django_db

RULE: dict[str, Any] = {
    "name": "golang",
    "source": "upstream",
    "repositories": ["library/golang"],
    "target": "ours",
    "into": "mirror/{repository}",
    "choice": {"ranges": ["^1.25"], "newest": 3},
    "selection": {"platforms": ["linux/amd64", "linux/arm64"]},
    "moved": "back-up",
    "schedule": {"when": "cron", "cron": "30 4 * * *", "zone": "Asia/Seoul"},
}


@pytest.fixture(autouse=True)
def registries(db: None) -> None:
    Registry.objects.create(name="upstream", url="https://upstream.example.org", role=Registry.Role.SOURCE)
    Registry.objects.create(name="ours", url="https://ours.example.org")


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Any:
    def say(*words: str, typed: str = "") -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        out = io.StringIO()
        call_command("syncrule", *words, stdout=out)
        return out.getvalue()

    return say


def test_a_rule_is_added_shown_switched_and_removed(say: Any) -> None:
    assert say("list") == "No rule yet: ./run manage syncrule add < rule.json\n"
    assert say("add", typed=json.dumps(RULE)).startswith("golang is added")
    shown = json.loads(say("show", "golang"))
    assert {name: shown[name] for name in RULE if name not in {"choice", "selection", "schedule"}} == {
        name: value for name, value in RULE.items() if name not in {"choice", "selection", "schedule"}
    }
    assert shown["choice"] == {
        "allow": [],
        "deny": [],
        "ranges": ["^1.25"],
        "pre_releases": False,
        "newest": 3,
        "newest_by": "version",
    }
    assert Rule.objects.get().next_at is not None
    assert say("off", "golang").split()[-1] == "off"
    assert not Rule.objects.get().is_on
    assert "at 30 4 * * * in Asia/Seoul, next at" in say("on", "golang")
    assert say("remove", "golang") == "golang is forgotten; what it has copied stays.\n"
    assert not Rule.objects.exists()
    assert list(Entry.objects.order_by("id").values_list("act", "actor")) == [
        ("rule-add", ""),
        ("rule-change", ""),
        ("rule-change", ""),
        ("rule-remove", ""),
    ]


def test_a_rule_of_a_newer_berth_is_listed_and_not_shown(say: Any) -> None:
    say("add", typed=json.dumps(RULE))
    say("add", typed=json.dumps(RULE | {"name": "other"}))
    Rule.objects.filter(name="golang").update(terms={"version": 9})

    assert "cannot be read: a newer Berth wrote it" in say("list")
    assert "other" in say("list")
    for verb in ("show", "on"):
        with pytest.raises(CommandError, match="golang cannot be read") as refusal:
            say(verb, "golang")
        assert refusal.value.returncode == 2
    with pytest.raises(CommandError, match="golang cannot be read"):
        call_command("sync", "golang")
    say("off", "golang")
    assert not Rule.objects.get(name="golang").is_on


def test_what_is_shown_can_be_added_again(say: Any) -> None:
    say("add", typed=json.dumps(RULE))
    shown = say("show", "golang")
    details = Rule.objects.get().details
    say("remove", "golang")
    say("add", typed=shown)
    assert Rule.objects.get().details == details


def test_the_rule_of_the_documentation_is_one(say: Any) -> None:
    text = (Path(__file__).parents[2] / "docs/sync.md").read_text()
    document = text.partition("```json\n")[2].partition("```")[0]
    Registry.objects.create(name="docker-hub", url="https://hub.example.org", role=Registry.Role.SOURCE)
    Registry.objects.create(name="local", url="https://local.example.org")

    assert say("add", typed=document).startswith("golang is added")
    defaults = Terms(("library/golang",))
    for part in ("pins", "attached", "backup", "deletes_gone", "bytes_per_second"):
        assert getattr(Rule.objects.get().details, part) == getattr(defaults, part)


def test_a_document_says_all_that_can_be_said_of_a_rule() -> None:
    said = {field.name for field in fields(Details)}
    assert set(RuleDocument.model_fields) == set(RuleSaid.__annotations__) == said
    for document, part in ((ChoiceDocument, Choice), (SelectionDocument, Selection), (ScheduleDocument, Schedule)):
        assert set(document.__annotations__) == {field.name for field in fields(part)}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"name": "Go!"}, "name"),
        ({"name": 5}, "name"),
        ({"source": "nowhere"}, "source"),
        ({"repositories": []}, "repositories"),
        ({"repositories": ["UPPER"]}, "repositories"),
        ({"into": "{what}"}, "into"),
        ({"choice": {"ranges": ["x y z"]}}, "choice"),
        ({"choice": {"newest": "3"}}, "choice.newest"),
        ({"choice": {"newer": 3}}, "choice.newer"),
        ({"selection": {"platforms": ["linux"]}}, "selection.platforms"),
        ({"selection": {"form": "child"}}, "selection.form"),
        ({"schedule": {"when": "cron", "cron": "* * * * *"}}, "schedule.cron"),
        ({"schedule": {"when": "every", "every": 1}}, "schedule.every"),
        ({"schedule": {"zone": "Mars"}}, "schedule.zone"),
        ({"schedule": {"window": "soon"}}, "schedule.window"),
        ({"moved": "burn"}, "moved"),
        ({"backup": "{tag}/x"}, "backup"),
        ({"pins": ["sha256:short"]}, "pins"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(say: Any, change: dict[str, Any], where: str) -> None:
    with pytest.raises(CommandError) as refusal:
        say("add", typed=json.dumps(RULE | change))
    assert refusal.value.returncode == 2
    assert str(refusal.value).startswith(f"{where}: ")
    assert not Rule.objects.exists()


@pytest.mark.parametrize("typed", ["", "{", "[]", "null", '"x"'])
def test_what_is_no_rule_is_refused(say: Any, typed: str) -> None:
    with pytest.raises(CommandError, match="rule: "):
        say("add", typed=typed)
