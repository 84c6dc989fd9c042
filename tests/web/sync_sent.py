"""Forms of sync rules as browsers send them, runs in some state, and pages as words."""

from __future__ import annotations

from typing import Any, Final

from django.test import Client

from jobs.models import Job
from sync.models import Rule, Run
from tests.web import furniture as make
from tests.web import harbour_sync as rows
from tests.web.pages import Page
from web.sync.rule_form import RuleForm

DIGEST: Final = make.digest_of(b"pinned")


def words(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return Page(response.content.decode()).words


def said(form: RuleForm, **more: Any) -> dict[str, Any]:
    """What a browser sends of a form that nobody touched, but for `more`."""
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in {**values, **more}.items() if value is not None and value is not False}


def typed(**more: Any) -> dict[str, Any]:
    """A form in which only the places are said, and `more`."""
    places = {"name": "golang", "source": "hub", "repositories": "library/golang", "target": "local"}
    return said(RuleForm(), **{**places, **more})


def wrong_at(response: Any) -> set[str]:
    """The fields beside which the page says that something is wrong."""
    page = Page(response.content.decode())
    marked = page.all("div", **{"class": "errors"})
    return {found["id"].removeprefix("id_").removesuffix("_error") for found in marked}


def standing(rule: Rule, **fields: Any) -> Run:
    """A run with one tag that is still to be copied."""
    state = fields.pop("state", Run.State.PLANNED)
    return rows.run(rule, state, [rows.item("1.0")], **fields)


def working(run: Run, **fields: Any) -> Job:
    job = make.job(run.target, kind="sync", subject=run.job_subject, title="Copying by the rule golang", **fields)
    Run.objects.filter(pk=run.pk).update(job=job)
    return job
