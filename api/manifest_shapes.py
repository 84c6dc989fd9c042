"""What is told of a manifest: the shapes of the answer."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Bytes, DigestText, Moment, Url
from api.repositories import DATED_BY

MOST_TAGS: Final = 60


class Child(TypedDict):
    """One descriptor of an index."""

    digest: DigestText
    role: Annotated[str, Field(description="platform, attestation or other.", examples=["platform"])]
    platform: Annotated[str | None, Field(examples=["linux/arm64/v8"])]
    os_version: Annotated[str | None, Field(description="Of Windows.", examples=["10.0.20348.2700"])]
    attests: Annotated[DigestText | None, Field(description="The digest that an attestation is about.")]
    media_type: Annotated[str, Field(examples=["application/vnd.oci.image.manifest.v1+json"])]
    document_size: Annotated[Bytes, Field(description="Bytes of the manifest itself, says the index.")]
    kind: Annotated[str | None, Field(description="What it is; null where nobody saw it.", examples=["image"])]
    size: Annotated[Bytes | None, Field(description="Bytes that a client pulls; null where it is not here.")]
    is_here: Annotated[bool, Field(description="It is in this repository.")]
    manifest: Annotated[Url | None, Field(description="Its own address; null where it is not here.")]


class Shared(TypedDict):
    """Who else uses a layer."""

    images_here: Annotated[int, Field(description="Other images of this repository.")]
    repositories_elsewhere: Annotated[int, Field(description="Other repositories of this registry.")]
    is_capped: Annotated[bool, Field(description="There are more repositories than that.")]
    example: Annotated[str | None, Field(description="One of those repositories.", examples=["base/python"])]


class LayerJson(TypedDict):
    number: int
    digest: DigestText
    media_type: Annotated[str, Field(examples=["application/vnd.oci.image.layer.v1.tar+gzip"])]
    size: Bytes
    title: Annotated[str | None, Field(description="The name of a file, where an artifact gives one.")]
    shared: Shared


class StepJson(TypedDict):
    """One step of the history."""

    number: int
    instruction: Annotated[str | None, Field(description="null where none is known.", examples=["RUN"])]
    command: Annotated[str, Field(examples=["apt-get update"])]
    comment: str | None
    created: Moment | None
    layer: Annotated[DigestText | None, Field(description="The layer that it left, where that is known.")]
    is_empty: Annotated[bool, Field(description="It left none, says the history.")]


class Variable(TypedDict):
    name: str
    value: str


class ConfigJson(TypedDict):
    """How an image runs, in its own words."""

    author: str | None
    user: str | None
    working_dir: str | None
    entrypoint: list[str] | None
    cmd: list[str] | None
    environment: list[Variable]
    exposed_ports: list[str]
    volumes: list[str]
    healthcheck: list[str] | None
    stop_signal: str | None
    labels: dict[str, str]


class AttachmentJson(TypedDict):
    """What is attached: that it is there, never that it is true."""

    kind: Annotated[str, Field(examples=["signature"])]
    digest: DigestText
    artifact_type: str | None
    tag: Annotated[str | None, Field(description="The tag that it was found by, where it was one.")]


class ManifestLinks(TypedDict):
    self: Url
    repository: Url
    page: Annotated[str, Field(description="The page for people.")]
    raw_manifest: Annotated[str | None, Field(description="The very bytes that the digest is of, if they were read.")]
    raw_config: Annotated[str | None, Field(description="The very bytes of the config, where it was read.")]


class ManifestJson(TypedDict):
    """A manifest in a repository. Everything an image says of itself was written by whoever pushed it."""

    registry: str
    repository: str
    digest: DigestText
    kind: Annotated[str, Field(description="image, index, chart, signature, attestation, sbom, artifact, …")]
    media_type: str | None
    artifact_type: str | None
    subject: Annotated[DigestText | None, Field(description="What it is attached to.")]
    state: Annotated[str, Field(description="whole; no-config; incomplete: a part is not here; unreadable")]
    problem: Annotated[str | None, Field(description="What cannot be read or is missing, and why.")]
    document_size: Annotated[Bytes, Field(description="Bytes of the manifest itself.")]
    size: Annotated[
        Bytes | None, Field(description="Bytes that a client pulls; of an index those of all its platforms here.")
    ]
    platform: Annotated[str | None, Field(examples=["linux/amd64"])]
    created: Annotated[Moment | None, Field(description="Says the image; null also for the fixed date of a build.")]
    date: Annotated[Moment | None, Field(description="The best date that is known.")]
    dated_by: Annotated[str, Field(description=f"What the date rests on. {DATED_BY}.")]
    first_seen: Moment
    gone_at: Annotated[Moment | None, Field(description="Since when no tag and no index reaches it here.")]
    tags: Annotated[list[str], Field(description=f"At most {MOST_TAGS}; the others are found by ?digest=.")]
    more_tags: int
    children: Annotated[list[Child], Field(description="All that an index lists, in its order.")]
    layers: list[LayerJson]
    layer_count: int
    layers_size: Annotated[Bytes, Field(description="Bytes of all layers, each blob once.")]
    history: list[StepJson]
    history_fits: Annotated[bool, Field(description="It tells as many layers as there are.")]
    config: ConfigJson | None
    config_state: Annotated[str, Field(description="none, unread (the scan will read it), read or malformed.")]
    config_problem: str | None
    annotations: dict[str, str]
    attachments: list[AttachmentJson]
    is_cut: Annotated[bool, Field(description="A list or a text is longer than what is shown: the raw bytes have all.")]
    links: ManifestLinks
