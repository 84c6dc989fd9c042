"""Terms are read strictly: what is not understood is named, and nothing is guessed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cleanup.retention.terms import Aliases, InvalidTerms, Line, Rule, Terms
from jobs.schedule import Schedule, When

pytestmark = pytest.mark.any_database
ALL = {"repositories": ["*"]}
FAULTS: list[tuple[Any, str]] = [
    ([], "terms"),
    ({}, "repositories"),
    ({"repositories": "team/*"}, "repositories"),
    ({"repositories": ["team/[a]"]}, "repositories"),
    ({"repositories": ["!!prod"]}, "repositories"),
    ({"repositories": [7]}, "repositories"),
    ({**ALL, "keep": 1}, "keep"),
    ({**ALL, "aliases": "gone"}, "aliases"),
    ({**ALL, "may_empty": 1}, "may_empty"),
    ({**ALL, "uses_created": "yes"}, "uses_created"),
    ({**ALL, "rules": {"tags": ["*"]}}, "rules"),
    ({**ALL, "rules": ["*"]}, "rules[0]"),
    ({**ALL, "rules": [{}]}, "rules[0].tags"),
    ({**ALL, "rules": [{"tags": ["*"], "newest": 0}]}, "rules[0].newest"),
    ({**ALL, "rules": [{"tags": ["*"], "newest": True}]}, "rules[0].newest"),
    ({**ALL, "rules": [{"tags": ["*"], "newest": "10"}]}, "rules[0].newest"),
    ({**ALL, "rules": [{"tags": ["*"]}, {"tags": ["*"], "line": "patch"}]}, "rules[1].line"),
    ({**ALL, "rules": [{"tags": ["*"], "younger": 7}]}, "rules[0].younger"),
    ({**ALL, "rules": [{"tags": ["*"], "younger_than": 1e9}]}, "rules[0].younger_than"),
    ({**ALL, "rules": [{"tags": ["*"], "pulled_within": 36_501}]}, "rules[0].pulled_within"),
    ({**ALL, "schedule": {"when": "event"}}, "schedule.when"),
    ({**ALL, "schedule": {"when": "every", "every": 1}}, "schedule.every"),
    ({**ALL, "schedule": {"when": "cron", "cron": "* * * * * *"}}, "schedule.cron"),
    ({**ALL, "schedule": {"window": "7-9"}}, "schedule.window"),
    ({**ALL, "rules": [{"tags": ["*"]}] * 51}, "rules"),
]


@pytest.mark.parametrize(("document", "field"), FAULTS)
def test_a_fault_is_named_by_its_field(document: Any, field: str) -> None:
    with pytest.raises(InvalidTerms) as fault:
        Terms.read(document)

    assert fault.value.field == field
    assert fault.value.sentence.endswith(".")


def test_what_is_written_is_read_as_it_was() -> None:
    terms = Terms(
        ("team/*", "!team/prod"),
        (Rule(("1.*",), 10, 3, Line.MINOR, 30, 14), Rule(("pr-*", "!pr-1"))),
        Aliases.JUDGED,
        may_empty=True,
        uses_created=True,
        schedule=Schedule(When.CRON, cron="30 4 * * *", zone="Asia/Seoul", window="22:00-06:00"),
    )

    assert Terms.read(json.loads(json.dumps(terms.written()))) == terms


def test_what_is_left_out_is_what_keeps_most() -> None:
    assert Terms.read(ALL) == Terms(("*",), (), Aliases.KEPT, may_empty=False, uses_created=False, schedule=Schedule())


def test_the_policy_of_the_documentation_can_be_read() -> None:
    text = (Path(__file__).parents[3] / "docs/retention.md").read_text()
    examples = re.findall(r"```json\n(.+?)```", text, re.DOTALL)

    assert [len(Terms.read(json.loads(example)).rules) for example in examples] == [3]
