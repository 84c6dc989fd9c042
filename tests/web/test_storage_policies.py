"""What each policy of retention would free, on the pages of storage."""

from __future__ import annotations

import pytest

from catalog.models import Repository
from cleanup.models import RetentionRun, RunRepository
from registries.models import Registry
from tests.web import furniture as make
from tests.web import harbour_retention as rows
from web.storage.policies import freeings_of

pytestmark = pytest.mark.django_db(databases="__all__")
State = RetentionRun.State


@pytest.fixture
def app(local: Registry) -> Repository:
    return make.repository(local, "team/app")


def test_each_policy_has_the_figures_of_its_newest_plan(app: Repository) -> None:
    where, other = app.registry, make.repository(app.registry, "team/web")
    old = rows.run(where, State.PLANNED)
    rows.tags(rows.place(old, app, policy="a", frees=9), "1", "2", "3")
    rows.tags(rows.place(old, other, policy="b", frees=8), "1")
    new = rows.run(where, State.PLANNED, frees=70)
    rows.tags(rows.place(new, app, policy="a", frees=50), "1", "2")
    rows.place(new, other, policy="a", frees=5)

    found = {one.policy: one for one in freeings_of([where])}

    assert (found["a"].tags, found["a"].size, found["a"].is_exact) == (2, 70, True)
    assert (found["b"].tags, found["b"].size, found["b"].is_exact) == (1, 8, False)
    assert found["a"].href == new.get_absolute_url()
    assert freeings_of([make.registry("edge")]) == []


def test_what_was_carried_out_frees_nothing_more(app: Repository) -> None:
    run = rows.run(app.registry, State.DONE)
    rows.tags(rows.place(run, app, policy="a", state=RunRepository.State.DONE), "1")
    rows.run(app.registry, State.BROKEN_OFF)

    assert [(one.tags, one.size) for one in freeings_of([app.registry])] == [(0, 0)]
