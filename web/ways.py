"""The ways to fetch the image of a page: by tag, by digest, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from django.utils.translation import gettext

from catalog.models import Repository, Tag
from catalog.promises import Promise, promise_of
from catalog.reads.image import Image
from catalog.reads.variants import Variant
from registries.addresses import is_loopback
from registries.models import Registry
from web.commands.images import IMAGES, Wanted, fetch_image
from web.commands.lines import Command, asks_who, is_platform
from web.commands.others import fetch_other
from web.commands.signing_in import login_commands

_SETUPS: Final = {"docker": "docker", "compose": "docker", "crictl": "containerd", "kubernetes": "containerd"}


@dataclass(frozen=True, slots=True)
class Ways:
    """`platform` is the one of an index that was chosen, "" for all of it; `closed` says why nothing can be fetched.

    An image is fetched by `tool`, which a person chooses; of anything else all commands are there, and no `tool`.
    """

    by_tag: list[Command] = field(default_factory=list)
    by_digest: list[Command] = field(default_factory=list)
    login: list[Command] = field(default_factory=list)
    tool: str = ""
    promise: Promise | None = None  # of the tag; None where the page is that of a digest
    platform: str = ""
    is_index: bool = False  # and all of it is meant
    asks_who: bool = False
    setup: str = ""  # "docker" or "containerd": whose own settings have to name the registry before
    closed: str = ""

    @property
    def first(self) -> Command | None:
        """What most people want: what never moves. A chart's digest only newer Helms can ask for, its version all."""
        helm = [command for command in self.by_tag if command.tool == "helm"]
        return next(iter([*helm, *self.by_digest, *self.by_tag]), None)


def ways_to_fetch(image: Image, tag: Tag | None, asked: str, tool: str, aliases: Iterable[str]) -> Ways:
    """`asked` is the platform that the reader chose, "" for none; `aliases` are the other tags of the digest."""
    variant = image.variant if asked and image.variant and image.variant.name == asked else None
    if closed := _why_closed(image, variant):
        return Ways(closed=closed)
    repository, kind = image.presence.repository, image.manifest.kind
    where, name = address_of(repository), tag.name if tag and tag.gone_at is None else ""
    fetch = _Fetch(tool, plain_http=repository.registry.plain_http)
    ways = Ways(
        login=login_commands(repository.registry, kind, tool),
        tool=tool if kind in IMAGES else "",
        promise=promise_of(name, aliases) if name else None,
        asks_who=bool(asks_who(repository.registry)),
        setup=_setup(repository.registry, tool) if kind in IMAGES else "",
        is_index=image.is_index and variant is None,
    )
    if variant is None or variant.child is None:
        by_digest = fetch(f"{where}@{image.manifest.digest}", kind)
        return replace(ways, by_tag=fetch(f"{where}:{name}", kind) if name else [], by_digest=by_digest)
    platform = variant.entry.platform if is_platform(variant.entry.platform) else ""
    # A tag and a platform are enough where the index lists that platform once.
    told_apart = name and platform and variant.name == platform
    by_tag = fetch(f"{where}:{name}", kind, platform) if told_apart else []
    by_digest = fetch(f"{where}@{variant.child.digest}", variant.child.kind, platform)
    return replace(ways, by_tag=by_tag, by_digest=by_digest, platform=variant.label or variant.name)


def way_to_newest(repository: Repository, tool: str) -> Command | None:
    """How the newest image of a repository is fetched by its lead tag; None where there is none."""
    newest = repository.newest
    if newest is None or not newest.lead_tag:
        return None
    fetch = _Fetch(tool, plain_http=repository.registry.plain_http)
    reference = f"{address_of(repository)}:{newest.lead_tag}"
    return next(iter(fetch(reference, newest.manifest.kind)), None)


def address_of(repository: Repository) -> str:
    """A repository as clients type it."""
    return f"{repository.registry.pull_host}/{repository.name}"


@dataclass(frozen=True, slots=True)
class _Fetch:
    """The commands for a reference: of an image that of `tool`, where it has one."""

    tool: str
    plain_http: bool

    def __call__(self, reference: str, kind: str, platform: str = "") -> list[Command]:
        if kind not in IMAGES:
            return fetch_other(reference, kind, plain_http=self.plain_http)
        command = fetch_image(self.tool, Wanted(reference, kind, self.plain_http, platform))
        return [command] if command else []


def _setup(registry: Registry, tool: str) -> str:
    """Podman, skopeo, nerdctl and crane have a flag for plain http; all take it from this very machine."""
    if not registry.plain_http or is_loopback(urlsplit(f"//{registry.pull_host}").hostname or ""):
        return ""
    return _SETUPS.get(tool, "")


def _why_closed(image: Image, variant: Variant | None) -> str:
    if image.presence.gone_at is not None:
        return gettext("It can no longer be pulled")
    if variant is not None and not variant.is_here:
        return gettext("This platform cannot be pulled: it is not in this repository")
    if image.listed.is_hollow:
        return gettext("It cannot be pulled")
    return ""
