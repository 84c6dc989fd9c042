"""A rule as a JSON document: what the API takes and answers, and what the command reads and prints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, with_config
from typing_extensions import TypedDict

from oci.transfer.attached import ALL_KINDS
from sync.details import Details
from sync.terms import Terms

_STRICT: Final = ConfigDict(extra="forbid", strict=True)  # what it does not know it refuses: a script would not notice
_MOST: Final = 500
_DEFAULTS: Final = Terms(()).written()
# The parts that a document keeps in parts of its own, as `RuleNotSaved` names them.
_PLACES: Final = {
    "platforms": "selection.platforms",
    "form": "selection.form",
    **{name: f"schedule.{name}" for name in ("cron", "zone", "every", "window")},
}

Text = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
Line = Annotated[str, StringConstraints(max_length=255, pattern=r"^[\x20-\x7e]*$")]
Texts = Annotated[list[Text], Field(max_length=_MOST)]
AttachedKind = Literal["signature", "attestation", "sbom", "artifact", "chart", "image"]
MovedText = Literal["overwrite", "back-up", "leave"]


@with_config(_STRICT)
class ChoiceDocument(TypedDict, total=False):
    """Which tags: without any of it, all."""

    allow: Annotated[
        Texts, Field(description="Patterns with * and ?, or expressions between slashes (RE2).", examples=[["1.*"]])
    ]
    deny: Annotated[Texts, Field(description="As allow; what fits one of them is out.", examples=[["/.*-rc[0-9]+/"]])]
    ranges: Annotated[Texts, Field(description="Ranges of versions; one has to hold.", examples=[["^1.25 || ~2.1"]])]
    pre_releases: Annotated[bool, Field(description="They count too, where versions are looked at.")]
    newest: Annotated[int | None, Field(description="Only so many of the newest.", ge=1, le=2**31 - 1)]
    newest_by: Annotated[
        Literal["version", "time"],
        Field(description="By time, each image is pulled once: it says when it was made."),
    ]


@with_config(_STRICT)
class SelectionDocument(TypedDict, total=False):
    """What of an index: without any of it, all of it."""

    platforms: Annotated[Texts, Field(description="None: all.", examples=[["linux/amd64", "linux/arm/v7"]])]
    form: Annotated[
        Literal["rewritten", "child", "sparse"],
        Field(
            description="Where platforms are chosen: an index of those, whose digest is its own; the one image itself;"
            " or the index as it is, of which some images are missing, which few registries take."
        ),
    ]
    attestations: Annotated[bool, Field(description="Those of BuildKit, which are in an index.")]


@with_config(_STRICT)
class ScheduleDocument(TypedDict, total=False):
    """When it is carried out: without any of it, when somebody asks."""

    when: Literal["by-hand", "cron", "every", "event"]
    cron: Annotated[Line, Field(description="Five fields.", examples=["30 4 * * 1-5"])]
    zone: Annotated[Line, Field(description="Of cron and window.", examples=["Asia/Seoul"])]
    every: Annotated[int, Field(description="Minutes.", ge=0, le=2**31 - 1)]
    window: Annotated[Line, Field(description="Hours in which it runs; empty: all day.", examples=["22:00-06:00"])]


class RuleDocument(BaseModel):
    """A rule that is to be. What is left out is as its description says."""

    model_config = _STRICT

    name: Text = Field(description="Small letters, digits and single hyphens.", examples=["golang"])
    source: Text = Field(description="The registry that is copied from.", examples=["docker-hub"])
    repositories: Texts = Field(
        description="Names, or patterns where the source can be listed.", examples=[["library/golang"]]
    )
    target: Text = Field(description="The registry that is copied into.", examples=["local"])
    into: Text = Field(
        "{repository}",
        description="The repository in the target, of {repository}, {namespace}, {name} and {registry} of the source.",
        examples=["mirror/{repository}"],
    )
    choice: ChoiceDocument = Field(default_factory=ChoiceDocument)
    pins: Texts = Field(default_factory=list, description="Digests, under a tag (1.27@sha256:…) or without.")
    selection: SelectionDocument = Field(default_factory=SelectionDocument)
    attached: Annotated[list[AttachedKind], Field(max_length=len(ALL_KINDS))] = Field(
        default_factory=lambda: list(_DEFAULTS["attached"]),
        description="What comes along of what is attached: signatures, SBOMs and the like; all without it.",
    )
    moved: MovedText = Field(
        "overwrite",
        description="A tag of the target that points elsewhere: overwrite it, overwrite it and keep what it pointed to"
        " under another tag, or leave it.",
    )
    backup: Text = Field(
        str(_DEFAULTS["backup"]), description="The tag of what is kept, of {tag}, and {date} and {time} in UTC."
    )
    deletes_gone: bool = Field(
        default=False, description="Delete what this rule has copied in and the source has no more; into the trash."
    )
    schedule: ScheduleDocument = Field(default_factory=ScheduleDocument)
    bytes_per_second: int | None = Field(default=None, ge=1, le=2**63 - 1, description="At most; null for no limit.")
    is_on: bool = Field(default=True, description="Whether its schedule is heeded.")

    def details(self) -> Details:
        """What `sync.rules.save` takes, which checks the rest."""
        said = self.model_dump()
        terms = {name: _whole(_DEFAULTS[name], said[name]) for name in _DEFAULTS}
        return Terms.read(terms).of_rule(self.name, self.source, self.target, is_on=self.is_on)


class RuleSaid(TypedDict):
    """A rule as it stands; sent back, it is the same rule."""

    name: str
    source: Annotated[str, Field(description="The registry that is copied from.", examples=["docker-hub"])]
    repositories: list[str]
    target: Annotated[str, Field(description="The registry that is copied into.", examples=["local"])]
    into: Annotated[str, Field(examples=["mirror/{repository}"])]
    choice: ChoiceDocument
    pins: list[str]
    selection: SelectionDocument
    attached: list[str]
    moved: str
    backup: str
    deletes_gone: bool
    schedule: ScheduleDocument
    bytes_per_second: int | None
    is_on: bool


def rule_document(details: Details) -> RuleSaid:
    terms = json.loads(json.dumps(Terms.of(details).written()))
    said = {"name": details.name, "source": details.source, "target": details.target, "is_on": details.is_on, **terms}
    return cast("RuleSaid", {name: said[name] for name in RuleSaid.__annotations__})


def place_of(field: str) -> str:
    """Where in a document the part is that `RuleNotSaved` names."""
    return _PLACES.get(field, field)


def _whole(default: Any, said: Any) -> Any:
    """With what is left out."""
    return {**default, **said} if isinstance(default, Mapping) else said
