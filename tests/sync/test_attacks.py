"""A source that does its worst, rows that go while a run is under way: one image ends, never a run without a word."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from django.utils import timezone

from audit.models import Entry
from jobs import running
from jobs import services as jobs
from jobs.models import Job
from oci.transfer.selection import Selection
from registries.models import Registry
from sync import rules, services
from sync.choosing import Choice, NewestBy
from sync.details import Moved
from sync.models import DatedImage, Item, PlannedManifest, Rule, Run, Synced, TagHold
from tagging.models import ProtectionRule
from tests.hostile import Asked, Hostile, Raw, Reply
from tests.oci.transfer.serving import Uploads, digest_of, taking
from tests.pushing import OCI_INDEX, OCI_MANIFEST
from tests.sync.hub import Hub
from tests.sync.syncing import NAME, Syncing, digest_at, ends, job_of, meanwhile, notes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]
OTHER = "library/other"


@pytest.fixture
def syncing(from_hub: Syncing) -> Syncing:
    return from_hub


def test_tags_that_cannot_be_listed_any_more_end_their_repository_alone(hub: Hub, syncing: Syncing) -> None:
    for name in (NAME, OTHER):
        hub.image(name, "1.0", layers=(name.encode(),))
    run = syncing.plan(syncing.rule(repositories=(NAME, OTHER)))
    hub.registry.on("GET", f"/v2/{NAME}/tags/list", Reply.errors(403, "DENIED"))

    run = syncing.carry_on(run)

    said = Item.objects.filter(run=run).values_list("source_repository", "state")
    assert dict(said) == {NAME: "failed", OTHER: "done"}
    assert run.state == Run.State.DONE


def test_tags_that_cannot_be_listed_now_make_the_run_wait(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0")
    run = syncing.plan(syncing.rule())
    hub.registry.on("GET", f"/v2/{NAME}/tags/list", Reply.errors(429, "TOOMANYREQUESTS", Retry_After="3600"))

    run = syncing.carry_on(run)

    assert (run.state, job_of(run).state) == (Run.State.WAITING, Job.State.DONE)
    assert ends(run) == {"1.0": "copy planned"}


def test_what_nobody_foresaw_ends_an_image_alone(hub: Hub, syncing: Syncing) -> None:
    """Half a character, in a part of an index that nobody reads, but that has to be written again."""
    child = hub.image(NAME, "2.0")
    other = hub.image(NAME, layers=(b"other",))
    serve_index(hub, "1.0", (child, other), odd="\ud800")

    run = syncing.run(syncing.rule(selection=Selection(("linux/arch0",))))

    assert ends(run) == {"1.0": "copy failed", "2.0": "copy done"}
    assert notes(run)["1.0"].startswith("Berth itself made a mistake")
    assert run.state == Run.State.DONE


def serve_index(hub: Hub, tag: str, children: tuple[str, ...], **parts: object) -> None:
    """As the hub's own, with parts of its own."""
    digest = hub.index(NAME, tag, children=children)
    asked = f"/v2/{NAME}/manifests/"
    content = hub.content(NAME, digest)
    odd = json.dumps(json.loads(content) | parts).encode()
    reply = Reply(200, odd, {"Content-Type": OCI_INDEX, "Docker-Content-Digest": digest_of(odd)})
    for method in ("GET", "HEAD"):
        for target in (tag, digest_of(odd)):
            hub.registry.on(method, f"{asked}{target}", reply)


def test_a_rule_that_is_removed_meanwhile_leaves_its_run_whole(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0", layers=(b"large" * 100_000,))
    rule = syncing.rule()
    run = syncing.plan(rule)

    def remove(asked: Asked) -> Reply | Raw:
        meanwhile(lambda: rules.remove(Rule.objects.get(pk=rule.pk), syncing.person))
        return hub._blob(asked)

    digest = digest_of(b"large" * 100_000)
    hub.cdn.on("GET", f"/{digest}", remove)

    run = syncing.carry_on(run)

    assert (run.state, run.rule_id) == (Run.State.DONE, None), job_of(run).message
    assert ends(run) == {"1.0": "copy done"}
    assert Synced.objects.get().rule_id is None


def test_each_try_is_in_the_activity(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0", layers=(b"lost",))
    path = f"/v2/{NAME}/blobs/{digest_of(b'lost')}"
    hub.registry.on("GET", path, Reply.errors(404, "BLOB_UNKNOWN"))
    run = syncing.run(syncing.rule())
    hub.registry.on("GET", path, Reply.redirect(f"{hub.cdn.url}/{digest_of(b'lost')}"))

    running.run_here(services.try_again(run, syncing.person).pk)

    assert ends(run) == {"1.0": "copy done"}
    told = Entry.objects.filter(act=Entry.Act.SYNC).order_by("pk").values_list("outcome", flat=True)
    assert list(told) == ["failed", "done"]


@pytest.mark.parametrize("broken", ["retired", "unreadable"])
def test_a_run_that_cannot_go_on_waits_no_more(hub: Hub, syncing: Syncing, broken: str) -> None:
    """Else it would be queued again with every minute, and fail for ever."""
    hub.image(NAME, "1.0")
    run = syncing.plan(syncing.rule())
    hub.registry.on("GET", f"/v2/{NAME}/tags/list", Reply.errors(429, "TOOMANYREQUESTS", Retry_After="3600"))
    run = syncing.carry_on(run)
    assert run.state == Run.State.WAITING
    harm = {"retired_at": timezone.now()} if broken == "retired" else {"ca": "no certificate"}
    Registry.objects.filter(pk=syncing.source.pk).update(**harm)

    run = syncing.carry_on(run)

    assert (run.state, job_of(run).state) == (Run.State.BROKEN_OFF, Job.State.FAILED)
    assert run.message == job_of(run).message
    assert run.resumes_at is None


def test_a_run_whose_worker_died_for_good_is_said_to_be_broken_off(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0")
    run = syncing.plan(syncing.rule())
    Run.objects.filter(pk=run.pk).update(state=Run.State.UNDER_WAY)
    TagHold.objects.create(registry=syncing.target, repository=f"mirror/{NAME}", tag="1.0", run=run)
    Job.objects.filter(pk=job_of(run).pk).update(state=Job.State.FAILED, message="Its worker died 5 times.")

    services.queue_due(timezone.now())

    run.refresh_from_db()
    assert (run.state, run.message) == (Run.State.BROKEN_OFF, "Its worker died 5 times.")
    assert not TagHold.objects.exists()
    assert syncing.carry_on(run).state == Run.State.DONE


def test_signatures_of_others_are_neither_moved_nor_lost(hub: Hub, syncing: Syncing) -> None:
    """A tag that is protected holds, that of what is attached too."""
    digest = hub.image(NAME, "1.0")
    signature = digest.replace(":", "-") + ".sig"
    hub.image(NAME, signature, layers=(b"theirs",))
    ours = syncing.there.artifact(signature, content=b"ours")
    ProtectionRule.objects.create(repositories="*", tags="sha256-*")

    run = syncing.run(syncing.rule())

    assert ends(run) == {"1.0": "copy done"}
    assert digest_at(syncing.there, signature) == ours


def test_a_tag_that_is_protected_while_the_run_is_under_way_holds(hub: Hub, syncing: Syncing) -> None:
    old = hub.image(NAME, "1.0", layers=(b"old",))
    rule = syncing.rule()
    syncing.run(rule)
    hub.image(NAME, "1.0", layers=(b"new",))

    def protect(asked: Asked) -> Reply | Raw:
        meanwhile(lambda: ProtectionRule.objects.create(repositories="*", tags="1.*"))
        return hub._blob(asked)

    hub.cdn.on("GET", f"/{digest_of(b'new')}", protect)

    run = syncing.run(rule)

    assert ends(run) == {"1.0": "copy skipped"}
    assert notes(run)["1.0"].startswith("it is protected by the rule")
    assert digest_at(syncing.there, "1.0") == old


def test_a_signature_that_comes_later_comes_to_a_protected_tag_too(hub: Hub, syncing: Syncing) -> None:
    """It moves nothing: who protects an image wants its signatures all the more."""
    digest = hub.image(NAME, "1.0")
    rule = syncing.rule()
    syncing.run(rule)
    ProtectionRule.objects.create(repositories="*", tags="1.*")
    signature = digest.replace(":", "-") + ".sig"
    signed = hub.image(NAME, signature, layers=(b"signed",))

    run = syncing.run(rule)

    assert ends(run) == {"1.0": "copy done"}
    assert digest_at(syncing.there, signature) == signed


def test_a_backup_never_takes_a_protected_tag(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0", layers=(b"old",))
    rule = syncing.rule(moved=Moved.BACK_UP, backup="stable")
    old = syncing.there.image("1.0", seed="old")
    stable = syncing.there.image("stable", seed="stable")
    ProtectionRule.objects.create(repositories="*", tags="stable")

    run = syncing.run(rule)

    assert ends(run) == {"1.0": "copy skipped"}
    assert "stable" in notes(run)["1.0"]
    assert digest_at(syncing.there, "stable") == stable
    assert digest_at(syncing.there, "1.0") == old


def test_one_repository_that_is_not_shown_lets_the_others_be_planned(hub: Hub, syncing: Syncing) -> None:
    """Docker Hub says so of one that is not there."""
    hub.image(NAME, "1.0")
    hub.registry.on("GET", f"/v2/{OTHER}/tags/list", Reply.errors(401, "UNAUTHORIZED"))

    run = syncing.run(syncing.rule(repositories=(OTHER, NAME)))

    assert ends(run) == {"1.0": "copy done"}
    assert [name for name, _ in run.problems] == [OTHER]


def test_where_nothing_is_shown_nothing_is_planned(hub: Hub, syncing: Syncing) -> None:
    for name in (NAME, OTHER):
        hub.registry.on("GET", f"/v2/{name}/tags/list", Reply.errors(401, "UNAUTHORIZED"))

    run = syncing.run(syncing.rule(repositories=(OTHER, NAME)))

    assert run.state == Run.State.BROKEN_OFF
    assert run.message.startswith("It could not be planned")


def test_a_repository_whose_name_grows_too_long_is_no_trouble_for_others(odd: Syncing, upstream: Hostile) -> None:
    long = "a" * 250
    upstream.on("GET", "/v2/_catalog", Reply.json({"repositories": [long, "b"]}))
    upstream.on("GET", "/v2/b/tags/list", Reply.json({"name": "b", "tags": []}))

    run = odd.plan(odd.rule(repositories=("*",)))

    assert run.state == Run.State.PLANNED, run.message
    assert [name for name, _ in run.problems] == [long]


def test_a_list_of_tags_that_are_not_there_does_not_swell_the_run(odd: Syncing, upstream: Hostile) -> None:
    upstream.on("GET", f"/v2/{NAME}/tags/list", Reply.json({"name": NAME, "tags": [f"1.{n}" for n in range(1200)]}))

    run = odd.plan(odd.rule())

    assert run.state == Run.State.PLANNED
    assert len(run.problems) == 501
    assert run.problems[-1][1] == "and 700 more"


def test_a_tag_of_the_target_that_cannot_be_read_lets_the_others_be_planned(
    hub: Hub, syncing: Syncing, upstream: Hostile
) -> None:
    """Its manifest has rotted there: that is no reason to copy nothing any more."""
    hub.image(NAME, "1.0")
    hub.image(NAME, "2.0", layers=(b"other",))
    rotten = {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": ""}
    upstream.on("HEAD", f"/v2/mirror/{NAME}/manifests/1.0", Reply(200, b"", rotten))
    upstream.on("GET", f"/v2/mirror/{NAME}/manifests/1.0", replace(Reply(200, b"{}", rotten), announced=10 * 2**20))
    Registry.objects.filter(pk=syncing.target.pk).update(url=upstream.url)
    syncing.target.refresh_from_db()

    run = syncing.plan(syncing.rule())

    assert run.state == Run.State.PLANNED, run.message
    assert ends(run) == {"2.0": "copy planned"}
    ((what, why),) = run.problems
    assert what == f"{NAME}:1.0"
    assert why.startswith("what the tag is at the target could not be read: ")


def test_newest_by_time_goes_on_past_a_tag_that_cannot_be_read(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0")
    hub.image(NAME, "2.0", layers=(b"other",))
    odd = Reply(200, b"{}", {"Docker-Content-Digest": ""})
    for method in ("GET", "HEAD"):
        hub.registry.on(method, f"/v2/{NAME}/manifests/2.0", replace(odd, announced=10 * 2**20))

    run = syncing.plan(syncing.rule(choice=Choice(newest=1, newest_by=NewestBy.TIME)))

    assert run.state == Run.State.PLANNED, run.message


def test_an_image_of_endless_manifests_has_no_size(hub: Hub, syncing: Syncing) -> None:
    """Whoever weighs a plan holds no more of it than whoever copies it would."""
    heavy = []
    for number in range(9):
        image = json.loads(hub.content(NAME, hub.image(NAME, "1.0", layers=(str(number).encode(),))))
        content = json.dumps(image | {"annotations": {"padding": "x" * (4 * 2**20 - 2_000)}}).encode()
        hub.serve(NAME, digest_of(content), content)
        heavy.append(digest_of(content))
    hub.index(NAME, "1.0", children=tuple(heavy))
    hub.image(NAME, "2.0", layers=(b"light",))

    run = syncing.plan(syncing.rule())

    assert run.state == Run.State.PLANNED
    sizes = dict(Item.objects.values_list("tag", "size"))
    assert sizes.pop("1.0") is None
    assert sizes.pop("2.0") == run.size
    assert PlannedManifest.objects.filter(digest__in=heavy).count() <= 8, "what is kept of a run is bounded"


def test_an_age_that_could_not_be_read_is_asked_for_again(hub: Hub, syncing: Syncing) -> None:
    """A source under maintenance says nothing of its images: that is not remembered as theirs."""
    lost, dull = hub.image(NAME, "1.0"), hub.image(NAME, "2.0", layers=(b"other",))
    path = f"/v2/{NAME}/manifests/{lost}"
    challenge = Reply.challenge(f'Bearer realm="{hub.realm}"')
    hub.registry.on("GET", path, challenge, Reply(200, b"<html>maintenance</html>", {"Content-Type": "text/html"}))
    rule = syncing.rule(choice=Choice(newest=1, newest_by=NewestBy.TIME))

    run = syncing.plan(rule)

    assert run.state == Run.State.PLANNED
    assert list(DatedImage.objects.values_list("digest", flat=True)) == [dull]
    content = Reply(200, hub.content(NAME, lost), {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": lost})
    hub.registry.on("GET", path, content)
    syncing.plan(syncing.rule("other", choice=Choice(newest=1, newest_by=NewestBy.TIME)))
    assert set(DatedImage.objects.values_list("digest", flat=True)) == {lost, dull}


def test_ages_that_were_paid_for_are_kept_when_the_quota_ends(hub: Hub, syncing: Syncing) -> None:
    """Else every plan would spend the quota on the same images, and none would ever come to its end."""
    for number in range(60):
        hub.image(NAME, f"1.{number}", layers=(f"layer {number}".encode(),))
    hub.pulls_left = 55
    hub.retry_after = ""  # or the next request would wait as well
    rule = syncing.rule(choice=Choice(newest=1, newest_by=NewestBy.TIME))
    run = syncing.plan(rule)
    assert run.state == Run.State.WAITING
    hub.pulls_left = 15

    run = syncing.carry_on(run)

    assert run.state == Run.State.DONE, run.message


def test_a_tag_that_was_put_while_the_run_was_stopped_is_told_of(hub: Hub, syncing: Syncing, upstream: Hostile) -> None:
    """It is there for everybody: then it is in the activity too."""
    hub.image(NAME, "1.0")
    digest = hub.image(NAME, "1.0")
    uploads = Uploads(upstream, name=f"mirror/{NAME}")

    def stopped(asked: Asked) -> Reply:
        meanwhile(lambda: jobs.stop(Job.objects.get(state=Job.State.RUNNING)))
        return replace(taking(asked), delay=3)

    for path, answer in ((digest, taking), ("1.0", stopped)):
        upstream.on("PUT", f"/v2/mirror/{NAME}/manifests/{path}", answer)
    Registry.objects.filter(pk=syncing.target.pk).update(url=upstream.url)
    syncing.target.refresh_from_db()

    run = syncing.run(syncing.rule())

    assert job_of(run).state == Job.State.STOPPED
    assert uploads.taken
    assert ends(run) == {"1.0": "copy done"}
    assert Entry.objects.get(act=Entry.Act.SYNC).digest_after == digest


def test_what_is_kept_for_others_is_not_touched_when_a_run_goes_on(hub: Hub, syncing: Syncing) -> None:
    for number in range(20):
        hub.image(NAME, f"1.{number}", layers=(f"layer {number}".encode(),))
    Registry.objects.filter(pk=syncing.source.pk).update(quota_floor=10)
    hub.pulls_left = 12
    syncing.source.refresh_from_db()

    run = syncing.run(syncing.rule())
    assert run.state == Run.State.WAITING
    assert hub.pulls_left >= 8, "an answer or two may overtake another"
    hub.pulls_left = 10
    run = syncing.carry_on(run)

    assert (run.state, hub.pulls_left) == (Run.State.WAITING, 10)
