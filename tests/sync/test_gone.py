"""Tags that are gone upstream: deleted where a rule says so, never in doubt, and never many without a yes."""

from __future__ import annotations

import pytest
from django.utils import timezone

from jobs import running
from jobs import services as jobs
from jobs.models import Job
from registries.probing import probe
from sync import rules
from sync.choosing import Choice
from sync.models import Item, Rule, Run, Synced
from tagging.models import Plan, ProtectionRule, TrashEntry
from tests.catalog.scanning import scan
from tests.hostile import Asked, Raw, Reply
from tests.oci.transfer.serving import digest_of
from tests.sync import furniture as make_sync
from tests.sync.hub import Hub
from tests.sync.syncing import NAME, Syncing, digest_at, ends, job_of, meanwhile, notes, tags_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]
TAGS = [f"1.{n}" for n in range(10)]


@pytest.fixture
def syncing(hub: Hub, from_hub: Syncing) -> Syncing:
    probe(from_hub.target)
    for tag in TAGS:
        hub.image(NAME, tag, layers=(tag.encode(),))
    return from_hub


def copied(syncing: Syncing, *, deletes: bool = True) -> Rule:
    """A rule that has copied all tags, which the catalog knows by now."""
    rule = syncing.rule(deletes_gone=deletes)
    assert syncing.run(rule).state == Run.State.DONE
    scan(syncing.target)
    return rule


def carry_out_plans() -> None:
    for job in Job.objects.filter(kind="carry-out", state=Job.State.QUEUED):
        running.run_here(job.pk)


def test_what_is_gone_upstream_goes_to_the_trash(hub: Hub, syncing: Syncing) -> None:
    rule = copied(syncing)
    hub.forget(NAME, "1.3")

    run = syncing.run(rule)
    carry_out_plans()

    assert (run.state, run.gone) == (Run.State.DONE, 1)
    assert ends(run)["1.3"] == "delete done"
    assert sorted(tags_at(syncing.there)) == [tag for tag in TAGS if tag != "1.3"]
    assert TrashEntry.objects.listed().get().tag == "1.3"
    plan = Plan.objects.get()
    assert (plan.actor, plan.why) == ("app", "gone upstream, by the rule app")
    assert not Synced.objects.filter(tag="1.3").exists()


def test_nothing_goes_unless_the_rule_says_so(hub: Hub, syncing: Syncing) -> None:
    rule = copied(syncing, deletes=False)
    hub.forget(NAME, "1.3")

    run = syncing.run(rule)

    assert "1.3" not in ends(run)
    assert digest_at(syncing.there, "1.3")


@pytest.mark.parametrize(
    "reply",
    [
        Reply.json({"name": NAME, "tags": []}),
        Reply.json({"name": NAME, "tags": None}),
        Reply.errors(404, "NAME_UNKNOWN"),
    ],
)
def test_an_empty_list_or_none_deletes_nothing(hub: Hub, syncing: Syncing, reply: Reply) -> None:
    rule = copied(syncing)
    hub.registry.on("GET", f"/v2/{NAME}/tags/list", Reply.challenge(f'Bearer realm="{hub.realm}"'), reply)

    run = syncing.run(rule)
    carry_out_plans()

    assert not Item.objects.filter(run=run, act=Item.Act.DELETE).exists()
    assert sorted(tags_at(syncing.there)) == TAGS


def test_a_list_that_fails_on_its_second_page_deletes_nothing(hub: Hub, syncing: Syncing) -> None:
    rule = copied(syncing)
    path = f"/v2/{NAME}/tags/list"
    first = Reply.json({"name": NAME, "tags": ["1.0"]}, Link=f'<{path}?last=1.0&n=1>; rel="next"')
    hub.registry.on("GET", f"{path}?n=1000", first)
    hub.registry.on("GET", f"{path}?last=1.0&n=1", Reply(500))

    run = syncing.run(rule)

    assert run.state == Run.State.BROKEN_OFF
    assert sorted(tags_at(syncing.there)) == TAGS


def test_a_list_that_is_short_deletes_nothing(hub: Hub, syncing: Syncing) -> None:
    """Whatever it leaves out: the source is asked for each tag by its name before that goes."""
    rule = copied(syncing)
    short = Reply.json({"name": NAME, "tags": TAGS[1:]})
    hub.registry.on("GET", f"/v2/{NAME}/tags/list", Reply.challenge(f'Bearer realm="{hub.realm}"'), short)

    run = syncing.run(rule)
    carry_out_plans()

    assert (ends(run)["1.0"], run.state) == ("delete skipped", Run.State.DONE)
    assert notes(run)["1.0"] == "the source has it after all, though it did not list it"
    assert sorted(tags_at(syncing.there)) == TAGS
    assert Synced.objects.filter(tag="1.0").exists()


def test_where_the_source_does_not_say_that_a_tag_is_gone_it_stays(hub: Hub, syncing: Syncing) -> None:
    rule = copied(syncing)
    hub.forget(NAME, "1.0")
    run = syncing.plan(rule)
    hub.registry.on("HEAD", f"/v2/{NAME}/manifests/1.0", Reply.errors(403, "DENIED"))

    run = syncing.carry_on(run)
    carry_out_plans()

    assert ends(run)["1.0"] == "delete skipped"
    assert notes(run)["1.0"].startswith("the source could not be asked whether it is gone: ")
    assert digest_at(syncing.there, "1.0")


def test_more_than_a_fifth_needs_a_yes(hub: Hub, syncing: Syncing) -> None:
    rule = copied(syncing)
    for tag in TAGS[:4]:
        hub.forget(NAME, tag)

    run = syncing.run(rule)
    carry_out_plans()

    job = job_of(run)
    assert job.state == Job.State.ASKING
    assert job.question["text"].startswith("4 of the 10 tags")
    assert sorted(tags_at(syncing.there)) == TAGS
    assert jobs.answer(job, yes=True)
    running.run_here(job.pk)
    carry_out_plans()
    assert sorted(tags_at(syncing.there)) == TAGS[4:]


def test_a_no_keeps_them(hub: Hub, syncing: Syncing) -> None:
    rule = copied(syncing)
    for tag in TAGS[:4]:
        hub.forget(NAME, tag)
    run = syncing.run(rule)

    assert jobs.answer(job_of(run), yes=False)

    carry_out_plans()
    assert sorted(tags_at(syncing.there)) == TAGS
    again = syncing.run(rule)
    assert again.pk != run.pk, "the next run asks again"
    assert job_of(again).state == Job.State.ASKING


def test_a_tag_that_somebody_else_put_there_stays(hub: Hub, syncing: Syncing) -> None:
    rule = copied(syncing)
    theirs = syncing.there.image("1.3", seed="theirs")
    syncing.there.image("9.9", seed="never ours")
    scan(syncing.target)
    hub.forget(NAME, "1.3")

    run = syncing.run(rule)
    carry_out_plans()

    assert ends(run)["1.3"] == "delete skipped"
    assert digest_at(syncing.there, "1.3") == theirs
    assert "9.9" not in ends(run)


def test_that_a_tag_is_gone_upstream_shows_where_it_stays(hub: Hub, syncing: Syncing) -> None:
    rule = copied(syncing, deletes=False)
    hub.forget(NAME, "1.3")
    syncing.run(rule)

    assert list(Synced.objects.filter(seen="").values_list("tag", flat=True)) == ["1.3"]
    hub.image(NAME, "1.3", layers=(b"1.3",))
    syncing.run(rule)
    assert not Synced.objects.filter(seen="").exists()


def test_a_tag_that_was_the_same_before_any_rule_copied_it_stays(hub: Hub, syncing: Syncing) -> None:
    """Whoever pushed it did not ask for a copy."""
    same = syncing.there.image("9.0", seed="by hand")
    hub.serve(NAME, "9.0", syncing.there.fetch("9.0"))
    rule = copied(syncing)
    assert Synced.objects.get(tag="9.0").digest == same
    hub.forget(NAME, "9.0")

    run = syncing.run(rule)
    carry_out_plans()

    assert "9.0" not in ends(run)
    assert digest_at(syncing.there, "9.0") == same


def test_a_rule_that_is_removed_deletes_nothing_more(hub: Hub, syncing: Syncing) -> None:
    """Also what it had planned to: nobody wants it any more."""
    rule = copied(syncing)
    hub.forget(NAME, "1.3")
    run = syncing.plan(rule)
    rules.remove(Rule.objects.get(pk=rule.pk), syncing.person)

    run = syncing.carry_on(run)
    carry_out_plans()

    assert (run.state, ends(run)["1.3"]) == (Run.State.DONE, "delete skipped")
    assert notes(run)["1.3"] == "the rule was removed, so what it has copied stays"
    assert digest_at(syncing.there, "1.3")
    assert not Plan.objects.exists()


def test_a_rule_that_is_removed_while_it_copies_deletes_nothing_more(hub: Hub, syncing: Syncing) -> None:
    rule = copied(syncing)
    hub.forget(NAME, "1.3")
    hub.image(NAME, "2.0", layers=(b"new",))
    run = syncing.plan(rule)

    def remove(asked: Asked) -> Reply | Raw:
        meanwhile(lambda: rules.remove(Rule.objects.get(pk=rule.pk), syncing.person))
        return hub._blob(asked)

    hub.cdn.on("GET", f"/{digest_of(b'new')}", remove)

    run = syncing.carry_on(run)
    carry_out_plans()

    assert (ends(run)["2.0"], ends(run)["1.3"]) == ("copy done", "delete skipped")
    assert digest_at(syncing.there, "1.3")


def test_a_pin_stays_though_its_tag_is_gone_upstream(hub: Hub, syncing: Syncing) -> None:
    """That it may go is what it was pinned for."""
    pinned = hub.image(NAME, "0.9", layers=(b"pinned",))
    hub.forget(NAME, "0.9")
    rule = syncing.rule(deletes_gone=True, pins=(f"0.9@{pinned}",), choice=Choice(allow=("1.*",)))
    syncing.run(rule)
    scan(syncing.target)

    run = syncing.run(rule)
    carry_out_plans()

    assert (run.state, run.gone, ends(run)["0.9"]) == (Run.State.DONE, 0, "keep skipped")
    assert digest_at(syncing.there, "0.9") == pinned
    assert Synced.objects.get(tag="0.9").seen == pinned


def test_a_tag_that_is_gone_here_too_is_forgotten(hub: Hub, syncing: Syncing) -> None:
    """Whoever deleted it, or died before saying so: no run after this speaks of it."""
    rule = copied(syncing)
    hub.forget(NAME, "1.3")
    syncing.run(rule)
    carry_out_plans()
    now = timezone.now()
    make_sync.synced(rule, "1.3", repository=f"mirror/{NAME}", source_repository=NAME)

    run, after = syncing.run(rule), syncing.run(rule)

    assert (ends(run)["1.3"], notes(run)["1.3"]) == ("delete skipped", "it is gone here too")
    assert "1.3" not in ends(after)
    assert Plan.objects.filter(created_at__gt=now).count() == 0


def test_a_protected_tag_stays_and_is_said_to(hub: Hub, syncing: Syncing) -> None:
    rule = copied(syncing)
    for tag in ("1.3", "1.4"):
        hub.forget(NAME, tag)
    ProtectionRule.objects.create(repositories="mirror/*", tags="1.3")

    run = syncing.run(rule)
    carry_out_plans()

    assert (ends(run)["1.3"], ends(run)["1.4"]) == ("delete skipped", "delete done")
    assert notes(run)["1.3"].startswith("it is protected by the rule")
    assert digest_at(syncing.there, "1.3")
    assert Synced.objects.filter(tag="1.3").exists(), "it goes when nothing protects it any more"


def test_a_tag_that_the_catalog_does_not_know_yet_waits_for_it(hub: Hub, syncing: Syncing) -> None:
    rule = copied(syncing)
    hub.image(NAME, "2.0", layers=(b"new",))
    syncing.run(rule)
    hub.forget(NAME, "2.0")

    run = syncing.run(rule)

    assert (ends(run)["2.0"], notes(run)["2.0"]) == ("delete skipped", "the catalog does not know the tag yet")
    assert Synced.objects.filter(tag="2.0").exists()
