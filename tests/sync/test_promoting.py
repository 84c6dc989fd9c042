"""Copying chosen tags from one of our registries to another, and putting back what was there."""

from __future__ import annotations

import pytest

from catalog.models import Repository
from jobs import running
from oci.names import TagName, parse_repository
from registries.models import Registry
from sync.models import Item, Run
from sync.promoting import plan_roll_back, promote
from tagging import services as tagging
from tagging.permission import NotPermitted
from tagging.planning import NotPlanned
from tests.catalog.scanning import scan
from tests.sync.syncing import NAME, Syncing, digest_at, ends, tags_at
from tests.web import furniture as make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


@pytest.fixture
def staging(syncing: Syncing) -> Repository:
    """A repository of the source, which is one of ours here."""
    Registry.objects.filter(pk=syncing.source.pk).update(role=Registry.Role.CATALOG)
    syncing.push.index(
        "1.0", children=[syncing.push.image(seed="a"), syncing.push.image(seed="b", platform="linux/arm64")]
    )
    syncing.push.image("1.1", seed="c")
    scan(syncing.source)
    return Repository.objects.select_related("registry").get(registry=syncing.source, name=NAME)


def promoted(syncing: Syncing, staging: Repository, tag: str, under: str) -> Run:
    into = parse_repository(f"mirror/{NAME}")
    run, job = promote(staging, {TagName(tag): TagName(under)}, syncing.target, into, syncing.person)
    running.run_here(job.pk)
    return Run.objects.get(pk=run.pk)


def test_what_the_catalog_has_stands_there_under_its_new_name(syncing: Syncing, staging: Repository) -> None:
    run = promoted(syncing, staging, "1.0", "stable")

    assert (run.state, run.rule, run.actor) == (Run.State.DONE, None, "mara")
    assert tags_at(syncing.there) == ["stable"]
    assert digest_at(syncing.there, "stable") == digest_at(syncing.push, "1.0")


def test_what_was_pushed_since_is_not_what_comes(syncing: Syncing, staging: Repository) -> None:
    seen = digest_at(syncing.push, "1.1")
    syncing.push.image("1.1", seed="pushed since")

    promoted(syncing, staging, "1.1", "1.1")

    assert digest_at(syncing.there, "1.1") == seen


def test_a_tag_goes_back_to_where_it_pointed(syncing: Syncing, staging: Repository) -> None:
    old = syncing.there.image("1.1", seed="old")
    run = promoted(syncing, staging, "1.1", "1.1")
    assert ends(run) == {"1.1": "copy done"}
    scan(syncing.target)
    item = Item.objects.select_related("run__target").get(run=run)

    plan = plan_roll_back(item, syncing.person)
    tagging.carry_out(plan, syncing.person)

    assert digest_at(syncing.there, "1.1") == old
    scan(syncing.target)
    with pytest.raises(NotPlanned, match="another image"):
        plan_roll_back(item, syncing.person)


def test_within_a_registry_nothing_travels(syncing: Syncing, staging: Repository) -> None:
    run, job = promote(
        staging, {TagName("1.0"): TagName("1.0")}, syncing.source, parse_repository("prod/app"), syncing.person
    )
    running.run_here(job.pk)
    run.refresh_from_db()

    assert (run.state, run.sent) == (Run.State.DONE, 0)


def test_only_staff_and_only_what_is_there(syncing: Syncing, staging: Repository) -> None:
    name, into = {TagName("9.9"): TagName("9.9")}, parse_repository("prod/app")
    with pytest.raises(NotPlanned):
        promote(staging, name, syncing.target, into, syncing.person)
    with pytest.raises(NotPermitted):
        promote(staging, name, syncing.target, into, make.person("paul"))
    assert not Run.objects.exists()
