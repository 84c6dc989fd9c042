"""What goes wrong at one of the two registries, and how far it reaches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.utils import timezone

from jobs import services as jobs
from jobs.models import Job
from oci.transfer.selection import Form, Selection
from registries.models import Registry
from sync.models import Item, PlannedManifest, Run
from tests.hostile import Asked, Hostile, Raw, Reply
from tests.oci.transfer.serving import digest_of, taking
from tests.real_registry import RealRegistry
from tests.sync.hub import Hub
from tests.sync.syncing import NAME, Syncing, digest_at, ends, job_of, notes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]
OTHER = "library/other"


@pytest.fixture
def syncing(from_hub: Syncing) -> Syncing:
    return from_hub


def test_a_lost_blob_ends_its_image_and_no_other(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0", layers=(b"lost",))
    hub.image(NAME, "2.0", layers=(b"there",))
    hub.registry.on("GET", f"/v2/{NAME}/blobs/{digest_of(b'lost')}", Reply.errors(404, "BLOB_UNKNOWN"))

    run = syncing.run(syncing.rule())

    assert ends(run) == {"1.0": "copy failed", "2.0": "copy done"}
    assert notes(run)["1.0"].startswith("a part of it is missing at the source")
    assert not digest_at(syncing.there, "1.0")
    assert job_of(run).message == "1 copied, 0 unchanged, 0 left alone, 1 failed."


def test_a_blob_of_other_bytes_is_tried_three_times_and_given_up(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0", layers=(b"right",))
    hub.cdn.on("GET", f"/{digest_of(b'right')}", Reply(200, b"wrong"))

    run = syncing.run(syncing.rule())

    assert ends(run) == {"1.0": "copy parked"}
    assert "is not what its digest says" in notes(run)["1.0"]
    assert Item.objects.get().tries == 3
    assert not digest_at(syncing.there, "1.0")
    hub.cdn.on("GET", f"/{digest_of(b'right')}", Reply(200, b"right"))
    from sync import services

    job = services.try_again(run, syncing.person)
    from jobs import running

    running.run_here(job.pk)
    assert ends(run) == {"1.0": "copy done"}


def test_who_is_refused_stops_asking_for_that_repository(hub: Hub, syncing: Syncing) -> None:
    """The account may not read it any more: one tag finds out, and the other repository is copied."""
    digests = [hub.image(NAME, f"1.{n}", layers=(f"layer {n}".encode(),)) for n in range(30)]
    hub.image(OTHER, "1.0", layers=(b"other",))
    run = syncing.plan(syncing.rule(repositories=(NAME, OTHER)))
    PlannedManifest.objects.all().delete()
    hub.registry.requests.clear()
    for digest in digests:
        hub.registry.on("GET", f"/v2/{NAME}/manifests/{digest}", Reply.errors(403, "DENIED"))

    run = syncing.carry_on(run)

    rows = Item.objects.filter(run=run)
    assert set(rows.filter(source_repository=NAME).values_list("state", flat=True)) == {"failed"}
    assert rows.get(source_repository=OTHER).state == "done"
    asked = [asked for asked in hub.asked("GET", "manifests") if NAME in asked.path]
    assert len(asked) <= 12, "no more than were under way"
    assert all(
        "these credentials" in note for note in rows.filter(source_repository=NAME).values_list("note", flat=True)
    )


def test_a_source_that_goes_away_ends_the_run_and_it_can_be_gone_on_with(hub: Hub, syncing: Syncing) -> None:
    for number in range(8):
        hub.image(NAME, f"1.{number}", layers=(f"layer {number}".encode(),))
    run = syncing.plan(syncing.rule())
    hub.cdn.otherwise(lambda _: Raw(b""))

    run = syncing.carry_on(run)

    assert run.state == Run.State.BROKEN_OFF
    assert job_of(run).state == Job.State.FAILED
    assert "can be gone on with" in job_of(run).message
    hub.cdn.otherwise(hub._blob)
    run = syncing.carry_on(run)
    assert run.state == Run.State.DONE
    assert set(ends(run).values()) == {"copy done"}


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_registry_of_which_nothing_fits_is_named(hub: Hub, syncing: Syncing, side: str) -> None:
    hub.image(NAME, "1.0")
    registry = getattr(syncing, side)
    Registry.objects.filter(pk=registry.pk).update(ca="/no/such/authority.pem")

    run = syncing.run(syncing.rule())

    assert run.state == Run.State.BROKEN_OFF
    assert job_of(run).message.startswith(
        f"{registry.name} cannot be asked, and nothing was changed: the file /no/such/authority.pem of the certificate"
        " authority cannot be used, as it is not there:"
    )


def test_a_source_that_does_not_list_changes_nothing(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0")
    hub.registry.on("GET", f"/v2/{NAME}/tags/list", Reply(200, b"<html>maintenance</html>"))

    run = syncing.run(syncing.rule())

    assert run.state == Run.State.BROKEN_OFF
    assert job_of(run).message.startswith("It could not be planned, and nothing was changed")
    assert Item.objects.count() == 0


def test_a_manifest_that_the_target_cannot_take_now_makes_the_run_wait(
    hub: Hub, syncing: Syncing, hostile_target: Hostile
) -> None:
    """By its status, whatever is said beside it."""
    hub.image(NAME, "1.0")

    def answer(asked: Asked) -> Reply:
        if asked.method == "PUT" and "/manifests/" in asked.path:
            return Reply(429, b"slow down", {"Retry-After": "7200"})
        if asked.method == "POST":
            return Reply(202, headers={"Location": f"{asked.path}1"})
        return taking(asked)

    hostile_target.otherwise(answer)
    Registry.objects.filter(pk=syncing.target.pk).update(url=hostile_target.url)
    syncing.target.refresh_from_db()

    run = syncing.run(syncing.rule())

    assert run.state == Run.State.WAITING
    assert run.resumes_at is not None
    assert 7_000 < (run.resumes_at - timezone.now()).total_seconds() <= 7_200


@pytest.fixture
def hostile_target() -> Iterator[Hostile]:
    with Hostile() as hostile:
        yield hostile


def test_a_run_that_is_stopped_leaves_no_upload_and_goes_on_later(
    hub: Hub, syncing: Syncing, target: RealRegistry
) -> None:
    large = b"x" * 3_000_000
    hub.image(NAME, "1.0", layers=(large,))
    run = syncing.plan(syncing.rule())

    def stop(_: Asked) -> Reply:
        jobs.stop(Job.objects.get(kind="sync", state=Job.State.RUNNING))
        return Reply(200, large)

    hub.cdn.on("GET", f"/{digest_of(large)}", stop, Reply(200, large))
    run = syncing.carry_on(run)

    assert (run.state, job_of(run).state) in {
        (Run.State.BROKEN_OFF, Job.State.STOPPED),
        (Run.State.DONE, Job.State.DONE),
    }
    uploads = target.storage / "docker/registry/v2/repositories/mirror" / NAME / "_uploads"
    assert not list(uploads.glob("*/data"))
    if run.state == Run.State.BROKEN_OFF:
        assert not digest_at(syncing.there, "1.0")
        assert ends(run) == {"1.0": "copy planned"}
        run = syncing.carry_on(run)
    assert ends(run) == {"1.0": "copy done"}


def test_a_source_that_is_asked_too_much_while_it_is_planned(hub: Hub, syncing: Syncing) -> None:
    """The run waits, and is planned when it goes on."""
    hub.image(NAME, "1.0")
    listing = f"/v2/{NAME}/tags/list"
    challenge = Reply.challenge(f'Bearer realm="{hub.realm}"')
    hub.registry.on("GET", listing, challenge, Reply.errors(429, "TOOMANYREQUESTS"))

    run = syncing.run(syncing.rule())

    assert (run.state, run.planned_at) == (Run.State.WAITING, None)
    hub.registry.on("GET", listing, Reply.json({"name": NAME, "tags": ["1.0"]}))
    run = syncing.carry_on(run)
    assert run.state == Run.State.DONE
    assert ends(run) == {"1.0": "copy done"}


def test_a_target_that_takes_no_sparse_index_is_said_to_and_not_asked_again(hub: Hub, syncing: Syncing) -> None:
    """What it says of it itself, that a blob is unknown, helps nobody; another form does."""
    children = tuple(hub.image(NAME, layers=(content,)) for content in (b"wanted", b"left out"))
    hub.index(NAME, "1.0", children=children)
    hub.image(NAME, "2.0", layers=(b"plain",))
    sparse = Selection(("linux/arch0",), Form.SPARSE)

    run = syncing.run(syncing.rule(selection=sparse))

    assert ends(run) == {"1.0": "copy failed", "2.0": "copy done"}
    said = (
        "the target takes no index whose images are missing: choose another form for the platforms of the rule. PUT v2/"
    )
    assert notes(run)["1.0"].startswith(said)
    assert Item.objects.get(tag="1.0").tries == 1
    other = syncing.run(syncing.rule("other", selection=replace(sparse, form=Form.REWRITTEN)))
    assert ends(other)["1.0"] == "copy done"


def test_what_could_not_be_planned_is_planned_when_it_is_gone_on_with(hub: Hub, syncing: Syncing) -> None:
    hub.image(NAME, "1.0")
    listing = f"/v2/{NAME}/tags/list"
    hub.registry.on("GET", listing, Reply(200, b"<html>maintenance</html>"))
    run = syncing.run(syncing.rule())
    hub.registry.on("GET", listing, Reply.json({"name": NAME, "tags": ["1.0"]}))

    run = syncing.carry_on(run)

    assert ends(run) == {"1.0": "copy done"}
