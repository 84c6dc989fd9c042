"""The mends that the page of health offers, done to real registries."""

from __future__ import annotations

import pytest

from cleanup.health import broken_tags
from registries.probing import probe
from tests.cleanup.checking import REPOSITORY, Checking
from tests.tagging.acting import Actor
from tests.web import furniture as make


@pytest.mark.parametrize("what", ["layer", "config", "manifest", "child"])
def test_a_broken_tag_can_be_deleted(checking: Checking, what: str) -> None:
    """As the plan of a person does it; whether it can be restored is another matter."""
    push = checking.push
    image = push.image("kept" if what == "child" else "broken", seed="one", layers=[b"one"])
    push.image("whole", seed="whole")
    if what == "child":
        push.index("broken", children=[push.image(seed="child"), image])
    probe(checking.row)
    checking.scan()
    config, (layer,) = checking.parts(image)
    if what == "child":
        checking.stored.revision_link(REPOSITORY, push.image(seed="child")).unlink()
    else:
        checking.lose({"layer": layer, "config": config, "manifest": image}[what])
    checking.check()
    assert [row.tag for row in broken_tags([checking.row])] == ["broken"]
    checking.scan()

    actor = Actor(checking.real, checking.row, make.person("mara", staff=True))
    plan = actor.carry_out(actor.plan_tags("broken"))

    assert plan.state == "done", list(plan.items.values())
    assert "broken" not in actor.listed()
    assert not broken_tags([checking.row])
    assert checking.check().broken == 0
