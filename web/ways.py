"""The ways to fetch the image of a page: by tag, by digest, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext

from catalog.models import Tag
from catalog.reads.image import Image
from catalog.reads.variants import Variant
from web.pull import Command, is_platform, login_commands, pull_commands


@dataclass(frozen=True, slots=True)
class Ways:
    """`platform` is the one of an index that was chosen, "" for all of it; `closed` says why nothing can be fetched."""

    by_tag: list[Command] = field(default_factory=list)
    by_digest: list[Command] = field(default_factory=list)
    login: list[Command] = field(default_factory=list)
    platform: str = ""
    is_index: bool = False  # and all of it is meant
    closed: str = ""

    @property
    def first(self) -> Command | None:
        """What most people want: what never moves, but Helm has no digests."""
        helm = [command for command in self.by_tag if command.tool == "helm"]
        return next(iter([*helm, *self.by_digest]), None)


def ways_to_fetch(image: Image, tag: Tag | None, asked: str) -> Ways:
    """`asked` is the platform that the reader chose, "" where they chose none."""
    variant = image.variant if asked and image.variant and image.variant.name == asked else None
    if closed := _why_closed(image, variant):
        return Ways(closed=closed)
    repository = image.presence.repository
    where, plain = f"{repository.registry.pull_host}/{repository.name}", repository.registry.plain_http
    kind, name = image.manifest.kind, f"{where}:{tag.name}" if tag and tag.gone_at is None else ""
    login = login_commands(repository.registry, kind)
    if variant is None or variant.child is None:
        by_tag = pull_commands(name, kind, plain_http=plain) if name else []
        by_digest = pull_commands(f"{where}@{image.manifest.digest}", kind, plain_http=plain)
        return Ways(by_tag, by_digest, login, is_index=image.is_index)
    platform = variant.entry.platform if is_platform(variant.entry.platform) else ""
    # A tag and a platform are enough where the index lists that platform once.
    told_apart = platform and variant.name == platform
    by_tag = pull_commands(name, kind, plain_http=plain, platform=platform) if name and told_apart else []
    child = f"{where}@{variant.child.digest}"
    by_digest = pull_commands(child, variant.child.kind, plain_http=plain, platform=platform)
    return Ways(by_tag, by_digest, login, platform=variant.label or variant.name)


def _why_closed(image: Image, variant: Variant | None) -> str:
    if image.presence.gone_at is not None:
        return gettext("It can no longer be pulled")
    if variant is not None and not variant.is_here:
        return gettext("This platform cannot be pulled: it is not in this repository")
    if image.listed.is_hollow:
        return gettext("It cannot be pulled")
    return ""
