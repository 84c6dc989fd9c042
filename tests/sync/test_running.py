"""Whole runs, from one real registry to another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audit.models import Entry
from catalog.models import Unread
from jobs import running
from jobs.models import Job
from oci.transfer.selection import Form, Selection
from sync import services
from sync.choosing import Choice, Why
from sync.details import Moved
from sync.in_words import plan_lines
from sync.models import PlannedManifest, Rule, Run, Synced, TagHold
from sync.models.runs import ATTACHED
from sync.run_documents import SAID
from tagging.models import ProtectionRule
from tests.real_registry import RealRegistry
from tests.sync.syncing import Syncing, digest_at, ends, job_of, notes, tags_at
from web.sync.words import WHY

pytestmark = pytest.mark.django_db(transaction=True)


def test_images_are_copied_in_and_then_are_unchanged(syncing: Syncing) -> None:
    syncing.push.image("1.0", "latest", seed="a")
    syncing.push.image("2.0", seed="b")
    rule = syncing.rule()

    first, second = syncing.run(rule), syncing.run(rule)

    assert (first.state, first.new, first.moved, first.unchanged) == (Run.State.DONE, 3, 0, 0)
    assert (second.state, second.new, second.moved, second.unchanged) == (Run.State.DONE, 0, 0, 3)
    assert ends(first) == dict.fromkeys(("1.0", "latest", "2.0"), "copy done")
    assert ends(second) == dict.fromkeys(("1.0", "latest", "2.0"), "keep skipped")
    for tag in ("1.0", "latest", "2.0"):
        assert syncing.there.fetch(tag) == syncing.push.fetch(tag)
    assert job_of(first).message == "3 copied, 0 unchanged."
    assert job_of(second).message == "0 copied, 3 unchanged."
    assert not TagHold.objects.exists()


def test_what_was_copied_is_written_down(syncing: Syncing) -> None:
    digest = syncing.push.image("1.0")

    run = syncing.run(syncing.rule())

    row = Synced.objects.get()
    assert (row.repository, row.tag, row.digest, row.upstream) == ("mirror/library/app", "1.0", digest, digest)
    entry = Entry.objects.get(act=Entry.Act.SYNC)
    assert (entry.actor, entry.registry, entry.tag, entry.digest_before, entry.digest_after) == (
        *("mara", "ours", "1.0", "", digest),
    )
    assert entry.from_repository == "upstream/library/app"
    assert list(Unread.objects.values_list("repository", "tag")) == [("mirror/library/app", "1.0")]
    assert run.sent > 0
    assert run.pulls_spent == 1


def test_a_plan_changes_nothing_and_is_carried_out_as_it_is(syncing: Syncing) -> None:
    """Also where upstream moves in between: what was planned is what comes."""
    planned = syncing.push.image("1.0", seed="a")
    rule = syncing.rule()

    run = syncing.plan(rule)

    assert (run.state, run.new) == (Run.State.PLANNED, 1)
    assert not digest_at(syncing.there, "1.0")
    syncing.push.image("1.0", seed="b")
    syncing.push.image("1.1", seed="c")
    run = syncing.carry_on(run)
    assert run.state == Run.State.DONE
    assert Synced.objects.get().digest == planned
    assert ends(run) == {"1.0": "copy done"}


@pytest.mark.parametrize(
    ("moved", "end", "backups"),
    [
        (Moved.OVERWRITE, "copy done", 0),
        (Moved.BACK_UP, "copy done", 1),
        (Moved.LEAVE, "leave skipped", 0),
    ],
)
def test_a_tag_that_moved_upstream(syncing: Syncing, moved: Moved, end: str, backups: int) -> None:
    old = syncing.push.image("1.0", seed="old")
    rule = syncing.rule(moved=moved)
    syncing.run(rule)
    new = syncing.push.image("1.0", seed="new")

    run = syncing.run(rule)

    assert ends(run) == {"1.0": end}
    assert digest_at(syncing.there, "1.0") == (old if moved is Moved.LEAVE else new)
    kept = [tag for tag in tags_at(syncing.there) if tag.startswith("1.0-before-")]
    assert len(kept) == backups
    for tag in kept:
        assert digest_at(syncing.there, tag) == old
        assert Unread.objects.filter(tag=tag).exists(), "the catalog is to know it too"
    row = Synced.objects.get()
    assert (row.digest, row.seen) == ((old, new) if moved is Moved.LEAVE else (new, new))


def test_a_protected_tag_holds(syncing: Syncing) -> None:
    old = syncing.push.image("1.0", seed="old")
    rule = syncing.rule()
    syncing.run(rule)
    ProtectionRule.objects.create(repositories="mirror/*", tags="1.*")
    syncing.push.image("1.0", seed="new")

    run = syncing.run(rule)

    assert ends(run) == {"1.0": "leave skipped"}
    assert notes(run)["1.0"].startswith("it is protected by the rule")
    assert digest_at(syncing.there, "1.0") == old


def test_a_tag_that_somebody_moved_since_the_plan_is_left(syncing: Syncing) -> None:
    syncing.push.image("1.0", seed="a")
    run = syncing.plan(syncing.rule())
    theirs = syncing.there.image("1.0", seed="theirs")

    run = syncing.carry_on(run)

    assert ends(run) == {"1.0": "copy skipped"}
    assert digest_at(syncing.there, "1.0") == theirs
    assert "moved since" in notes(run)["1.0"]


def test_only_chosen_tags_come_and_the_others_are_said(syncing: Syncing) -> None:
    for tag in ("1.0", "1.1", "1.2", "latest", "1.2-rc1"):
        syncing.push.image(tag, seed=tag)

    run = syncing.plan(syncing.rule(choice=Choice(deny=("latest",), ranges=(">=1.0",), newest=2)))

    assert ends(run) == {"1.2": "copy planned", "1.1": "copy planned"}
    assert run.left_out == {
        "denied": [1, ["latest"]],
        "pre-release": [1, ["1.2-rc1"]],
        "not-newest": [1, ["1.0"]],
    }


def test_two_runs_of_a_rule_are_never_under_way_at_once(syncing: Syncing) -> None:
    rule = syncing.rule()
    first, job = services.begin(rule, syncing.person)
    again, same = services.begin(rule, syncing.person)

    assert (first.pk, job.pk) == (again.pk, same.pk)
    assert Job.objects.count() == 1


def test_a_pin_stays_whatever_its_tag_does(syncing: Syncing) -> None:
    old = syncing.push.image("1.0", seed="old")
    syncing.push.image("1.0", seed="new")

    run = syncing.run(syncing.rule(pins=(f"1.0@{old}", old)))

    assert ends(run) == {"1.0": "copy done", old: "copy done"}
    assert digest_at(syncing.there, "1.0") == old


def test_a_signature_that_comes_later_comes_along(syncing: Syncing) -> None:
    """What it signs is unchanged, and is not copied again; nor is anything when nothing is new."""
    digest = syncing.push.image("1.0")
    rule = syncing.rule()
    syncing.run(rule)
    signature = digest.replace(":", "-") + ".sig"
    syncing.push.artifact(signature, content=b"signed")

    second, third = syncing.run(rule), syncing.run(rule)

    assert (second.attached, second.unchanged) == (1, 0)
    assert any("unchanged, but something was attached to it since" in line for line in plan_lines(second))
    assert ends(second) == {"1.0": "copy done"}
    assert syncing.there.fetch(signature) == syncing.push.fetch(signature)
    assert ends(third) == {"1.0": "keep skipped"}


def test_a_terminal_and_a_page_have_words_for_each_reason() -> None:
    assert SAID.keys() == WHY.keys() == {*Why, "pinned", ATTACHED, "gone"}


def test_signatures_come_with_a_new_image_and_are_not_asked_for_again(syncing: Syncing) -> None:
    digest = syncing.push.image("1.0")
    signature = digest.replace(":", "-") + ".sig"
    syncing.push.artifact(signature, content=b"signed")
    rule = syncing.rule()

    first, second = syncing.run(rule), syncing.run(rule)

    assert ends(first) == {"1.0": "copy done"}
    assert set(tags_at(syncing.there)) == {"1.0", signature}
    assert ends(second) == {"1.0": "keep skipped"}
    assert first.left_out == {"tool": [1, [signature]]}


def test_a_plan_is_weighed_and_its_manifests_are_not_pulled_again(syncing: Syncing, source: RealRegistry) -> None:
    shared = b"shared" * 50_000
    child = syncing.push.image(layers=[shared], seed="child")
    other = syncing.push.image(layers=[shared, b"x" * 9_000], seed="other", platform="linux/arm64")
    syncing.push.index("1.0", children=[child, other])
    rule = syncing.rule()

    planned = syncing.plan(rule)
    run = syncing.carry_on(planned)

    assert (planned.pulls, run.pulls_spent) == (3, 3), "those of the plan, and none since"
    assert planned.size == run.sent > 0, "each blob once"
    assert not PlannedManifest.objects.exists()


def test_an_image_of_several_tags_is_brought_once(syncing: Syncing) -> None:
    """All of them begin at once; one that comes long after the first finds it there as well."""
    platforms = ("linux/amd64", "linux/arm64")
    children = [syncing.push.image(layers=[p.encode() * 9_000], seed=p, platform=p) for p in platforms]
    tags = ("1", "1.2", "1.2.3", "latest", *(f"build-{number}" for number in range(16)))
    index = syncing.push.index(*tags, children=children)
    sizes = {
        part["digest"]: part["size"]
        for image in (json.loads(syncing.push.fetch(child)) for child in children)
        for part in (image["config"], *image["layers"])
    }

    run = syncing.run(syncing.rule())

    assert (run.state, ends(run)) == (Run.State.DONE, dict.fromkeys(tags, "copy done"))
    assert {digest_at(syncing.there, tag) for tag in tags} == {index}
    assert (run.pulls_spent, run.sent) == (3, sum(sizes.values())), "each manifest and each blob once"


def blob_file(registry: RealRegistry, digest: str) -> Path:
    return registry.storage / "docker/registry/v2/blobs/sha256" / digest[7:9] / digest[7:] / "data"


@pytest.mark.parametrize("form", [Form.REWRITTEN, None])
def test_a_deep_run_reads_what_is_there_and_mends_what_is_missing(
    syncing: Syncing, target: RealRegistry, form: Form | None
) -> None:
    layers = {platform: platform.encode() * 1000 for platform in ("linux/amd64", "linux/arm64")}
    children = [syncing.push.image(layers=[content], platform=p, seed=p) for p, content in layers.items()]
    syncing.push.index("1.0", children=children)
    rule = syncing.rule(selection=Selection(("linux/amd64",), form) if form else Selection())
    syncing.run(rule)
    image = json.loads(syncing.push.fetch(children[0]))
    lost = image["layers"][0]["digest"]
    whole = deep(syncing, rule)
    assert ends(whole) == {"1.0": "keep done"}
    assert (whole.sent, whole.pulls_spent) == (0, 0)

    blob_file(target, lost).unlink()
    assert ends(syncing.run(rule)) == {"1.0": "keep skipped"}, "its manifests say nothing of it"
    mended = deep(syncing, rule)

    assert ends(mended) == {"1.0": "keep done"}
    assert mended.sent >= image["layers"][0]["size"]
    assert blob_file(target, lost).read_bytes()


def test_a_deep_run_says_that_bytes_are_other_ones(syncing: Syncing, target: RealRegistry) -> None:
    syncing.push.image("1.0", layers=[b"x" * 1000])
    rule = syncing.rule()
    syncing.run(rule)
    lost = json.loads(syncing.push.fetch("1.0"))["layers"][0]["digest"]
    content = blob_file(target, lost).read_bytes()
    blob_file(target, lost).write_bytes(content[:-1] + b"!")

    run = deep(syncing, rule)

    assert ends(run) == {"1.0": "keep parked"}
    assert "came with other bytes" in notes(run)["1.0"]


def deep(syncing: Syncing, rule: Rule) -> Run:
    run, job = services.begin(rule, syncing.person, here=True, is_deep=True)
    running.run_here(job.pk)
    return Run.objects.get(pk=run.pk)
