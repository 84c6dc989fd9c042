from __future__ import annotations

from catalog.models import Presence, Repository
from tagging.models import Plan, PlannedImage, TrashEntry
from tests.catalog.picture import check_counters
from tests.tagging.acting import Actor


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
