from __future__ import annotations

from django.utils import timezone

from catalog.models import Presence, Repository
from tagging import checking
from tagging.models import Plan, PlannedImage, TrashEntry
from tests.catalog.picture import check_counters
from tests.hostile import Reply
from tests.tagging.acting import Actor
from tests.tagging.gate import Gate


def test_an_image_goes_with_all_its_tags(actor: Actor) -> None:
    digest = actor.push.image("1", "1.0", "latest")
    other = actor.push.image("2", seed="2")
    actor.scan()

    plan = actor.carry_out(actor.plan_images(digest))

    assert plan.state == Plan.State.DONE, plan.message
    assert set(actor.outcomes(plan).values()) == {"done"}
    assert set(actor.outcomes(plan)) == {"1", "1.0", "latest", digest}
    assert actor.listed() == actor.live() == {"2"}
    assert (actor.gets(digest), actor.gets(other)) == (False, True)
    assert Presence.objects.get(manifest__digest=digest).gone_at is not None
    assert {(e.tag, e.how, e.state) for e in actor.trash()} == {
        (tag, TrashEntry.How.DIGEST, TrashEntry.State.AT_RISK) for tag in ("1", "1.0", "latest")
    }
    check_counters()


def test_an_image_that_an_index_lists_loses_only_its_tags(actor: Actor) -> None:
    child, arm = actor.push.image("amd"), actor.push.image(platform="linux/arm64")
    actor.push.index("1.0", children=[child, arm])
    actor.scan()

    plan = actor.carry_out(actor.plan_images(child))

    assert actor.outcomes(plan) == {"amd": "done"}
    image = PlannedImage.objects.get(plan=plan)
    assert [holder["tag"] for holder in image.held_by] == ["1.0"]
    assert actor.pulls("1.0")
    check_counters()


def test_a_tag_that_came_since_the_plan_keeps_its_image(actor: Actor) -> None:
    digest = actor.push.image("1", "2")
    actor.push.image("other", seed="other")
    actor.scan()
    plan = actor.plan_images(digest)
    actor.push.image("unseen", "other")

    actor.carry_out(plan)

    assert actor.outcomes(plan) == {"1": "done", "2": "done", digest: "skipped"}
    assert "so it stays" in actor.notes(plan).pop()
    assert actor.listed() == {"unseen", "other"}
    assert actor.pulls("unseen")


def test_an_index_that_came_since_the_plan_keeps_what_it_lists(actor: Actor) -> None:
    child, arm = actor.push.image("amd"), actor.push.image(platform="linux/arm64")
    actor.push.image("other", seed="other")
    actor.scan()
    plan = actor.plan_images(child)
    index = actor.push.index("1.0", children=[child, arm])

    actor.carry_out(plan)

    assert actor.outcomes(plan) == {"amd": "done", child: "skipped"}
    assert actor.notes(plan) == {f"the index {index} lists it, so it stays"}
    assert actor.pulls("1.0")


def test_an_index_that_stays_after_all_keeps_what_it_lists(actor: Actor) -> None:
    children = [actor.push.image(), actor.push.image(platform="linux/arm64")]
    index = actor.push.index("1.0", children=children)
    actor.scan()
    plan = actor.plan_repository()
    actor.push.index("again", children=children)

    actor.carry_out(plan)

    assert actor.outcomes(plan) == {"1.0": "done"} | dict.fromkeys([index, *children], "skipped")
    assert actor.listed() == {"again"}
    assert actor.pulls("again")


def test_an_index_that_is_held_by_another_keeps_what_it_lists(actor: Actor) -> None:
    child = actor.push.image()
    inner = actor.push.index("inner", children=[child])
    actor.push.index("outer", children=[inner])
    actor.scan()

    plan = actor.carry_out(actor.plan_images(inner, child))

    assert actor.outcomes(plan) == {"inner": "done"}
    assert (actor.gets(inner), actor.gets(child)) == (True, True)


def test_a_tag_that_cannot_be_read_is_named_and_nothing_is_deleted(gate: Gate, gated: Actor) -> None:
    digest = gated.push.image("t0")
    gated.push.image("torn", seed="torn")
    gated.scan()
    plan = gated.plan_images(digest)
    path = f"/v2/{gated.name}/manifests/torn"
    gate.answer(path, Reply.errors(500, "UNKNOWN"))

    gated.carry_out(plan)

    assert plan.state == Plan.State.BROKEN_OFF
    assert plan.message.startswith("The tag torn cannot be read, so nobody knows whether it points to one of these")
    assert gated.outcomes(plan) == {"t0": "done", digest: "planned"}
    assert gated.gets(digest)


def test_what_nobody_keeps_any_more_is_kept_anew_before_its_digest_goes(gate: Gate, gated: Actor) -> None:
    digest = gated.push.image("1")
    gated.push.image("stays", seed="other")
    gated.scan()
    plan = gated.plan_images(digest)
    gate.answer("/tags/list", Reply.errors(500, "UNKNOWN"))
    gated.carry_out(plan)
    assert gated.outcomes(plan) == {"1": "done", digest: "planned"}
    gate.open()
    TrashEntry.objects.update(until=timezone.now())
    checking.expire(timezone.now())

    gated.carry_out(plan)

    assert gated.outcomes(plan) == {"1": "done", digest: "done"}
    alive = TrashEntry.objects.alive(timezone.now())
    assert [(entry.tag, entry.digest) for entry in alive] == [("", digest)]
    gated.carry_out(gated.plan_restore(*alive))
    assert gated.gets(digest)


def test_of_an_index_the_children_stay_untagged(actor: Actor) -> None:
    children = [actor.push.image(), actor.push.image(platform="linux/arm64")]
    index = actor.push.index("1.0", children=children)
    actor.push.image("keep", seed="keep")
    actor.scan()

    plan = actor.plan_images(index)
    actor.carry_out(plan)

    assert PlannedImage.objects.get(plan=plan).children == 2
    assert (actor.gets(index), actor.gets(children[0])) == (False, True)
    check_counters()


def test_a_repository_goes_with_everything_in_it(actor: Actor) -> None:
    children = [actor.push.image(), actor.push.image(platform="linux/arm64")]
    index = actor.push.index("1.0", "latest", children=children)
    single = actor.push.image("single", seed="single")
    actor.scan()

    plan = actor.carry_out(actor.plan_repository())

    assert plan.state == Plan.State.DONE, plan.message
    assert actor.listed() == actor.live() == set()
    assert not any(actor.gets(digest) for digest in (index, single, *children))
    assert actor.repository.state == Repository.State.EMPTY
    assert (actor.repository.size, actor.repository.image_count) == (0, 0)
    check_counters()
