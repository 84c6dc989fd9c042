"""Runs and their items as JSON documents: what the API answers, and what the command prints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import Field
from typing_extensions import TypedDict

from sync.choosing import Why
from sync.models import Item, Run
from sync.models.runs import ATTACHED

STATES: Final = "; ".join(f"{value}: {label}" for value, label in Run.State.choices)
ITEM_STATES: Final = "; ".join(f"{value}: {label}" for value, label in Item.State.choices)
ACTS: Final = "; ".join(f"{value}: {label}" for value, label in Item.Act.choices)
REASONS: Final = ", ".join([*Why, "pinned", ATTACHED, "gone"])
SAID: Final = {
    Why.ALL: "every tag",
    Why.ALLOWED: "fits a pattern",
    Why.IN_RANGE: "in a range",
    Why.NEWEST: "among the newest",
    Why.NOT_ALLOWED: "fits no pattern",
    Why.DENIED: "denied by a pattern",
    Why.NO_VERSION: "no version",
    Why.PRE_RELEASE: "a pre-release",
    Why.OUTSIDE: "outside the ranges",
    Why.NOT_NEWEST: "older than the newest",
    Why.NO_DATE: "without a date",
    Why.TOOL: "of a tool, and copied with its image",
    "pinned": "pinned",
    ATTACHED: "unchanged, but something was attached to it since",
    "gone": "gone at the source",
}
"""Each reason in words."""

Moment = Annotated[str, Field(description="RFC 3339, UTC.", examples=["2026-11-24T23:56:10Z"])]
Bytes = Annotated[int, Field(description="Bytes.", examples=[43_500_000], ge=0)]
DigestText = Annotated[str, Field(examples=["sha256:8f4a1c…"], description="algorithm:hex")]


class Counts(TypedDict):
    """How many tags the plan has of each kind, and what it costs."""

    new: int
    moved: Annotated[int, Field(description="They point elsewhere at the target, and are copied over that.")]
    unchanged: int
    left: Annotated[int, Field(description="Left alone; each item says why.")]
    gone: Annotated[int, Field(description="Gone at the source, and to be deleted.")]
    size: Annotated[Bytes | None, Field(description="Bytes that travel at most; null: nobody has looked.")]
    pulls: Annotated[int | None, Field(description="Manifests that are fetched, as a quota counts them.")]


class LeftOut(TypedDict):
    """Tags that the rule does not take, for one reason."""

    why: Annotated[str, Field(description=f"One of {REASONS}.", examples=["denied"])]
    count: int
    tags: Annotated[list[str], Field(description="The first of them.")]


class ProblemDocument(TypedDict):
    what: Annotated[str, Field(description="A repository or a tag that could not be looked at.")]
    why: str


class RunDocument(TypedDict):
    id: int
    rule: Annotated[str | None, Field(description="Its name; null for a copy that somebody asked for.")]
    source: Annotated[str, Field(description="The registry that is copied from.", examples=["docker-hub"])]
    target: Annotated[str, Field(description="The registry that is copied into.", examples=["local"])]
    state: Annotated[str, Field(description=f"{STATES}.", examples=["done"])]
    message: Annotated[str | None, Field(description="How it ended, or why it waits, in a sentence.")]
    is_deep: Annotated[bool, Field(description="What is at the target already is read, each byte of it.")]
    resumes_at: Annotated[Moment | None, Field(description="While it waits: when it goes on by itself.")]
    planned: Counts
    left_out: list[LeftOut]
    problems: list[ProblemDocument]
    sent: Annotated[Bytes, Field(description="Bytes that travelled.")]
    pulls_spent: Annotated[int, Field(description="Manifests that were fetched, as a quota counts them.")]
    quota_left: Annotated[int | None, Field(description="Pulls, as the source said last; null: it says nothing.")]
    quota_limit: int | None
    created_at: Moment
    began_at: Moment | None
    ended_at: Moment | None


class ItemDocument(TypedDict):
    """One tag of the target, or one digest, and what becomes of it."""

    position: int
    act: Annotated[str, Field(description=f"{ACTS}.", examples=["copy"])]
    state: Annotated[str, Field(description=f"{ITEM_STATES}.", examples=["done"])]
    source_repository: Annotated[str, Field(examples=["library/golang"])]
    source_tag: str | None
    digest: Annotated[DigestText, Field(description="At the source, when this was planned.")]
    repository: Annotated[str, Field(description="At the target.", examples=["mirror/library/golang"])]
    tag: str | None
    before: Annotated[DigestText | None, Field(description="Where the tag pointed when this was planned.")]
    after: Annotated[DigestText | None, Field(description="Where it points since this was done.")]
    backup: Annotated[str | None, Field(description="The tag under which `before` stays.")]
    why: Annotated[str | None, Field(description=f"Why the rule takes it: one of {REASONS}.", examples=["in-range"])]
    detail: Annotated[str | None, Field(description="The pattern or the range that decided.")]
    note: Annotated[str | None, Field(description="Why it was left alone, or failed.")]
    tries: int
    sent: Annotated[Bytes, Field(description="Bytes that travelled.")]
    attached: Annotated[int, Field(description="Signatures and the like that came along.")]
    ended_at: Moment | None


def run_document(run: Run) -> RunDocument:
    """Of a row with its source, target and rule."""
    return {
        "id": run.pk,
        "rule": (run.rule.name if run.rule else run.name) or None,
        "source": run.source.name,
        "target": run.target.name,
        "state": run.state,
        "message": run.message or None,
        "is_deep": run.is_deep,
        "resumes_at": moment(run.resumes_at),
        "planned": {
            "new": run.new,
            "moved": run.moved,
            "unchanged": run.unchanged,
            "left": run.left,
            "gone": run.gone,
            "size": run.size,
            "pulls": run.pulls,
        },
        "left_out": [{"why": why, "count": count, "tags": tags} for why, (count, tags) in run.left_out.items()],
        "problems": [{"what": what, "why": why} for what, why in run.problems],
        "sent": run.sent,
        "pulls_spent": run.pulls_spent,
        "quota_left": run.quota_left,
        "quota_limit": run.quota_limit,
        "created_at": stamp(run.created_at),
        "began_at": moment(run.began_at),
        "ended_at": moment(run.ended_at),
    }


def item_document(item: Item) -> ItemDocument:
    return {
        "position": item.position,
        "act": item.act,
        "state": item.state,
        "source_repository": item.source_repository,
        "source_tag": item.source_tag or None,
        "digest": item.digest,
        "repository": item.repository,
        "tag": item.tag or None,
        "before": item.before or None,
        "after": item.after or None,
        "backup": item.backup or None,
        "why": item.why or None,
        "detail": item.detail or None,
        "note": item.note or None,
        "tries": item.tries,
        "sent": item.sent,
        "attached": item.attached,
        "ended_at": moment(item.ended_at),
    }


def moment(value: datetime | None) -> str | None:
    return None if value is None else stamp(value)


def stamp(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
