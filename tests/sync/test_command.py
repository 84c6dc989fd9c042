"""The command `sync`, as a person types it."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from jobs import running
from jobs.here import see_through
from jobs.models import Job
from jobs.schedule import Schedule, When
from registries.models import Registry
from sync import services
from sync.choosing import Choice
from sync.details import Moved
from sync.in_words import plan_lines, result_lines
from sync.models import Item, Run, TagHold
from tests.hostile import Asked, Hostile, Reply
from tests.oci.transfer.serving import blob_path, serve
from tests.real_registry import RealRegistry
from tests.sync import furniture as make_sync
from tests.sync.syncing import Syncing, digest_at, job_of, tags_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


PIECE: Final = 256 * 1024  # bytes


@dataclass(frozen=True)
class Slow(Reply):
    """A piece after the other, `pause` seconds apart."""

    def pieces(self, *, is_head: bool) -> Sequence[bytes]:  # noqa: ARG002  as Reply's
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self.body)}\r\n\r\n".encode()
        return [head, *(self.body[start : start + PIECE] for start in range(0, len(self.body), PIECE))]


class Said(NamedTuple):
    out: str
    err: str
    code: int = 0
    refusal: str = ""

    @property
    def document(self) -> Any:
        return json.loads(self.out)


def sync(*words: str) -> Said:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("sync", *words, stdout=out, stderr=err)
    except CommandError as error:
        return Said(out.getvalue(), err.getvalue(), error.returncode, str(error))
    return Said(out.getvalue(), err.getvalue())


def test_without_a_rule_it_lists_them(syncing: Syncing) -> None:
    assert sync().out == "No rule yet: ./run manage syncrule add < rule.json\n"
    syncing.rule("app")
    syncing.rule("nightly", schedule=Schedule(When.CRON, "30 4 * * *", "Asia/Seoul"))

    assert [line.split() for line in sync().out.splitlines()] == [
        ["RULE", "COPIES", "WHEN"],
        ["app", "upstream/library/app", "→", "ours", "by", "hand"],
        ["nightly", "upstream/library/app", "→", "ours", "at", "30", "4", "*", "*", "*", "in", "Asia/Seoul"],
    ]


def test_it_copies_and_says_what_became_of_each_tag(syncing: Syncing) -> None:
    old = syncing.push.image("1.0", seed="old")
    rule = syncing.rule(moved=Moved.BACK_UP)
    syncing.push.image("2.0", seed="same")
    assert sync(rule.name).code == 0
    new, newer = syncing.push.image("1.0", seed="new"), syncing.push.image("3.0", seed="newer")

    said = sync(rule.name)

    assert (said.code, digest_at(syncing.there, "1.0")) == (0, new)
    assert [line.split() for line in said.out.splitlines()] == [
        ["TAG", "RESULT", "DIGEST", "WHY"],
        ["mirror/library/app:3.0", "copied", "new", "→", newer[:19]],
        ["mirror/library/app:1.0", "copied", old[:19], "→", new[:19]],
        ["1", "unchanged."],
    ]
    assert said.err.splitlines()[-1] == "2 copied, 1 unchanged."


def test_as_json_it_is_one_object(syncing: Syncing) -> None:
    digest = syncing.push.image("1.0")
    rule = syncing.rule()

    said = sync(rule.name, "--json", "--quiet")

    assert (said.code, said.err) == (0, "")
    document = said.document
    assert (document["rule"], document["state"], document["planned"]["new"]) == ("app", "done", 1)
    (item,) = document["items"]
    assert (item["tag"], item["act"], item["state"], item["before"], item["after"]) == (
        *("1.0", "copy", "done", None, digest),
    )
    assert item["ended_at"].endswith("Z")


def test_a_plan_says_why_and_changes_nothing(syncing: Syncing) -> None:
    syncing.push.image("1.0", seed="a")
    syncing.push.image("edge", seed="b")
    rule = syncing.rule(choice=Choice(allow=("1.*",)))

    said = sync(rule.name, "--plan")

    assert said.code == 0
    assert "mirror/library/app:1.0  copy  new → sha256:" in said.out
    assert "fits a pattern: 1.*" in said.out
    assert "Not taken, fits no pattern: 1 (edge)." in said.out
    assert re.search(r"^At most [0-9]+ (k)?B will travel\.$", said.out, re.MULTILINE)
    assert not digest_at(syncing.there, "1.0")
    assert Run.objects.get().state == Run.State.PLANNED


def test_what_is_there_is_read_again_where_that_is_asked_for(syncing: Syncing, target: RealRegistry) -> None:
    """A layer has rotted in the storage of the target, of which no HEAD tells; the registry would not take another."""
    syncing.push.image("1.0", layers=[b"sound"])
    rule = syncing.rule()
    sync(rule.name)
    layer = json.loads(syncing.push.fetch("1.0"))["layers"][0]["digest"].removeprefix("sha256:")
    data = target.storage / f"docker/registry/v2/blobs/sha256/{layer[:2]}/{layer}/data"
    data.write_bytes(b"x" * data.stat().st_size)

    assert sync(rule.name).out == "1 unchanged.\n"
    said = sync(rule.name, "--deep")

    assert said.code == 1
    assert said.out.splitlines()[1].startswith("mirror/library/app:1.0  given up")
    assert "came with other bytes" in said.out


def test_what_is_left_alone_is_said_and_is_no_failure(syncing: Syncing) -> None:
    syncing.push.image("1.0", seed="old")
    rule = syncing.rule(moved=Moved.LEAVE)
    sync(rule.name)
    syncing.push.image("1.0", seed="new")

    said = sync(rule.name)

    assert said.code == 0
    assert "left alone" in said.out
    assert "the rule leaves such tags alone" in said.out


def test_what_failed_is_said_with_a_cure(syncing: Syncing, source: RealRegistry) -> None:
    """A layer is gone from the storage of the source."""
    syncing.push.image("1.0", seed="a", layers=[b"kept"])
    syncing.push.image("2.0", seed="b", layers=[b"lost"])
    layer = json.loads(syncing.push.fetch("2.0"))["layers"][0]["digest"].removeprefix("sha256:")
    (source.storage / f"docker/registry/v2/blobs/sha256/{layer[:2]}/{layer}/data").unlink()

    said = sync(syncing.rule().name)

    assert said.code == 1
    assert said.refusal == "1 copied, 0 unchanged, 0 left alone, 1 failed."
    failed, done, _, cure = said.out.splitlines()[1:]
    assert done.startswith("mirror/library/app:1.0  copied  new → sha256:")
    assert failed.startswith("mirror/library/app:2.0  failed")
    assert "a part of it is missing at the source" in failed
    assert cure.startswith("Run it again")


def test_a_question_is_said_and_answered_elsewhere(syncing: Syncing) -> None:
    digests = [syncing.push.image(tag, seed=tag) for tag in ("1.0", "1.1", "1.2")]
    rule = syncing.rule(deletes_gone=True)
    assert sync(rule.name).code == 0
    for digest in digests[:2]:
        address = f"{syncing.push.url}/v2/{syncing.push.repository}/manifests/{digest}"
        urllib.request.urlopen(urllib.request.Request(address, method="DELETE"), timeout=10).close()

    said = sync(rule.name)

    assert said.code == 1
    assert said.refusal.startswith("2 of the 3 tags that this rule has copied in are gone upstream. Delete them?")
    assert said.refusal.endswith(f"Answer on the page of job {Job.objects.get(state=Job.State.ASKING).pk}.")
    assert sorted(tags_at(syncing.there)) == ["1.0", "1.1", "1.2"]


def test_what_registries_say_does_nothing_to_the_terminal(syncing: Syncing) -> None:
    run = make_sync.run(syncing.rule(), left_out={"denied": [1, ["\x1b[2Jgone"]]}, problems=[["a\x07", "\x1b]0;x"]])
    make_sync.item(run, 0, state=Item.State.FAILED, note="\x1b[31mred\nand a second line")

    for line in (*result_lines(run), *plan_lines(run)):
        assert line.isprintable()


def test_ctrl_c_stops_it_and_the_rest_can_be_gone_on_with(
    odd: Syncing, upstream: Hostile, target: RealRegistry
) -> None:
    layers = [os.urandom(8 * PIECE), b"small"]
    serve(upstream, "1.0", layers=layers)
    upstream.on("GET", "/v2/team/app/tags/list", Reply.json({"name": "team/app", "tags": ["1.0"]}))
    rule = odd.rule(repositories=("team/app",), into="mirror/library/app")

    def interrupting(_: Asked) -> Reply:
        os.kill(os.getpid(), signal.SIGINT)
        return Slow(200, layers[0], pause=0.2)

    upstream.on("GET", blob_path(layers[0]), interrupting)
    said = sync(rule.name)

    run = Run.objects.get()
    assert (said.code, run.state, job_of(run).state) == (130, Run.State.BROKEN_OFF, Job.State.STOPPED)
    assert said.refusal == "Stopped. 0 were copied; the rest can be gone on with."
    assert not digest_at(odd.there, "1.0")
    assert not list(target.storage.glob("**/_uploads/*/startedat"))
    assert not TagHold.objects.exists()
    upstream.on("GET", blob_path(layers[0]), Reply(200, layers[0]))
    assert sync(rule.name).code == 0
    assert digest_at(odd.there, "1.0")


def test_a_run_that_is_under_way_elsewhere_is_only_followed(syncing: Syncing) -> None:
    syncing.push.image("1.0")
    rule = syncing.rule()
    run, job = services.begin(rule, syncing.person)
    lease = running.claim(job.pk)
    assert lease is not None

    def end(_: Job) -> None:
        Run.objects.filter(pk=run.pk).update(state=Run.State.DONE)
        lease.end(Job.State.DONE, "3 copied, 0 unchanged.")

    assert see_through(job, end)
    assert (job.state, Run.objects.count()) == (Job.State.DONE, 1)
    assert not digest_at(syncing.there, "1.0")


def test_what_somebody_died_of_is_gone_on_with(syncing: Syncing) -> None:
    digest = syncing.push.image("1.0")
    rule = syncing.rule()
    _, job = services.begin(rule, here=True)
    assert running.claim(job.pk) is not None
    Job.objects.update(leased_until=timezone.now() - timedelta(seconds=1))

    assert sync(rule.name).code == 0

    assert digest_at(syncing.there, "1.0") == digest
    assert Job.objects.get().attempts == 2


def test_whoever_runs_it_by_hand_does_not_wait_for_its_hours(syncing: Syncing) -> None:
    syncing.push.image("1.0")
    now = timezone.now()
    window = f"{now + timedelta(hours=2):%H:%M}-{now + timedelta(hours=3):%H:%M}"

    said = sync(syncing.rule(schedule=Schedule(When.EVERY, every=60, window=window)).name)

    assert (said.code, Run.objects.get().state) == (0, Run.State.DONE)


def test_an_unknown_rule_is_a_usage_error_with_near_names(syncing: Syncing) -> None:
    assert sync("golang")[2:] == (
        2,
        "no rule is called golang; there is none yet: ./run manage syncrule add < rule.json",
    )
    syncing.rule("golang")
    assert sync("go-lang")[2:] == (2, "no rule is called go-lang; did you mean golang?")
    assert sync("zzz")[2:] == (2, "no rule is called zzz; there are: golang")


def test_a_source_that_does_not_answer_ends_it_with_one(syncing: Syncing) -> None:
    rule = syncing.rule()
    Registry.objects.filter(pk=syncing.source.pk).update(url="http://127.0.0.1:1")

    said = sync(rule.name)

    assert said.code == 1
    assert said.refusal.startswith("It could not be planned, and nothing was changed:")
