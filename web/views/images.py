"""One image, by a tag or by its digest, and the very bytes of its documents."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.guards import readers_only
from access.policy import may_administer
from catalog.models import Presence, Tag
from catalog.reads.dockerfile import text_of
from catalog.reads.documents import raw_config, raw_manifest
from catalog.reads.image import Image, read_image
from web.about import about_of
from web.cleanup.pinned import pin_of
from web.commands.images import NAMES
from web.dockerfile import Dockerfile
from web.downloads import attachment
from web.finding import find_presence, find_tag
from web.layers_bar import LayersBar
from web.locks import locks_of
from web.pull_tool import tool_of
from web.typed import typed
from web.ways import ways_to_fetch

_MOST_ALIASES: Final = 60


@require_safe
@readers_only
def tag(request: HttpRequest, registry: str, repository: str, tag: str) -> HttpResponse:
    row = find_tag(request, registry, repository, tag)
    if row.presence is None:
        context = {"tag": row, "repository": row.repository, "name": row.name}
        return render(request, "images/unreadable.html", context)
    return _image_page(request, row.presence, row)


@require_safe
@readers_only
def manifest(request: HttpRequest, registry: str, repository: str, digest: str) -> HttpResponse:
    return _image_page(request, find_presence(request, registry, repository, digest), None)


def _image_page(request: HttpRequest, presence: Presence, tag: Tag | None) -> HttpResponse:
    asked = typed(request, "platform")
    image = read_image(presence, asked)
    aliases = _aliases(presence, tag)
    context = {
        "image": image,
        "repository": presence.repository,
        "tag": tag,
        "name": tag.name if tag else presence.manifest.digest,
        "bar": LayersBar.of(image.layers, image.more_layers),
        "ways": ways_to_fetch(image, tag, asked, tool_of(request), aliases["aliases"]),
        "tools": NAMES,
        "about": about_of(image),
        "pieces": _pieces(request, image),
        "asks_referrers": _asks_referrers(presence),
        "may_act": may_administer(request.user) and presence.repository.registry.retired_at is None,
        "pinned": pin_of(tag or presence),
        "protected": locks_of(request, presence.repository, [*([tag.name] if tag else []), *aliases["aliases"]]),
        **aliases,
    }
    return render(request, "images/page.html", context)


def _pieces(request: HttpRequest, image: Image) -> Dockerfile | None:
    """The history as a Dockerfile, where that is asked for and there is one."""
    pieces = image.dockerfile() if typed(request, "view") == "dockerfile" else []
    return Dockerfile.of(pieces) if pieces else None


def _asks_referrers(presence: Presence) -> str:
    """Whether the page asks the registry what is attached: by itself, by a button, or "" for not at all."""
    registry, knows = presence.repository.registry, presence.repository.registry.capability("referrers")
    if registry.retired_at is not None or presence.gone_at is not None or knows is False:
        return ""
    return "load" if knows else "click"


def _aliases(presence: Presence, tag: Tag | None) -> dict[str, Any]:
    live = Tag.objects.live().first_of_each([presence], _MOST_ALIASES + 1)
    names = [row.name for row in live if tag is None or row.pk != tag.pk]
    known = presence.tag_count - (tag is not None)
    return {"aliases": names[:_MOST_ALIASES], "more_aliases": max(0, known - _MOST_ALIASES)}


@require_safe
@readers_only
def raw_manifest_file(request: HttpRequest, registry: str, repository: str, digest: str) -> HttpResponse:
    presence = find_presence(request, registry, repository, digest)
    return attachment(raw_manifest(presence.manifest), f"{digest.partition(':')[2][:12]}-manifest.json")


@require_safe
@readers_only
def raw_config_file(request: HttpRequest, registry: str, repository: str, digest: str) -> HttpResponse:
    presence = find_presence(request, registry, repository, digest)
    return attachment(raw_config(presence.manifest), f"{digest.partition(':')[2][:12]}-config.json")


@require_safe
@readers_only
def dockerfile(request: HttpRequest, registry: str, repository: str, digest: str) -> HttpResponse:
    """The history as a Dockerfile, all of it."""
    pieces = read_image(find_presence(request, registry, repository, digest)).dockerfile()
    content = text_of(pieces).encode() if pieces else None
    return attachment(content, f"{digest.partition(':')[2][:12]}.Dockerfile", "text/plain; charset=utf-8")
