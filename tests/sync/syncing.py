"""A source and a target, rules between them, and runs of those, carried out where the test stands."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from django.db import connections

from access.models import User
from jobs import running
from jobs.models import Job
from registries.models import Registry
from sync import services
from sync.details import Details
from sync.models import Item, Rule, Run
from sync.terms import Terms
from tests.pushing import Pusher

NAME = "library/app"


class Syncing:
    def __init__(self, source: str, target: str, person: User) -> None:
        self.source = Registry.objects.create(name="upstream", url=source, role=Registry.Role.SOURCE)
        self.target = Registry.objects.create(name="ours", url=target)
        self.person = person
        self.push, self.there = Pusher(source, NAME), Pusher(target, f"mirror/{NAME}")

    def rule(self, name: str = "app", **more: Any) -> Rule:
        details = Details(name, "upstream", (NAME,), "ours", into="mirror/{repository}")
        details = replace(details, **more)
        terms = Terms.of(details).written()
        return Rule.objects.create(name=name, source=self.source, target=self.target, terms=terms)

    def plan(self, rule: Rule) -> Run:
        run, job = services.begin(rule, self.person, only_plan=True, here=True)
        running.run_here(job.pk)
        return Run.objects.get(pk=run.pk)

    def run(self, rule: Rule) -> Run:
        run, job = services.begin(rule, self.person, here=True)
        running.run_here(job.pk)
        return Run.objects.get(pk=run.pk)

    def carry_on(self, run: Run) -> Run:
        running.run_here(services.carry_on(run, self.person, here=True).pk)
        return Run.objects.get(pk=run.pk)


def digest_at(there: Pusher, tag: str) -> str:
    """What the tag points to, by its bytes; "" where it is not there."""
    try:
        return "sha256:" + hashlib.sha256(there.fetch(tag)).hexdigest()
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.NOT_FOUND:
            raise
        return ""


def tags_at(there: Pusher) -> list[str]:
    with urllib.request.urlopen(f"{there.url}/v2/{there.repository}/tags/list", timeout=10) as answer:
        return list(json.load(answer)["tags"])


def job_of(run: Run) -> Job:
    assert run.job_id is not None
    return Job.objects.get(pk=run.job_id)


def ends(run: Run) -> dict[str, str]:
    """How each item ended, by its tag: what was to be done, and what came of it."""
    return {item.tag or item.digest: f"{item.act} {item.state}" for item in Item.objects.filter(run=run)}


def notes(run: Run) -> dict[str, str]:
    return dict(Item.objects.filter(run=run).exclude(note="").values_list("tag", "note"))


def meanwhile(happens: Callable[[], object]) -> None:
    """In the thread of a registry, whose connection nobody else would close."""
    try:
        happens()
    finally:
        connections.close_all()
