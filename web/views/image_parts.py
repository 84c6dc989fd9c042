"""Parts of the page of an image that are asked for: each is a page of its own, and what htmx puts into that page.

Two of them ask the registry, since the catalog does not keep what they show.
"""

from __future__ import annotations

from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from access.guards import readers_only
from catalog.models import Manifest, ManifestBlob, Presence
from catalog.reads.family import family_of
from catalog.reads.image import read_image
from catalog.reads.sharing import sharers_of
from oci.chart_files import unpack_chart
from registries.models import Registry
from web.asking import ask
from web.charts import archive_of, fetch_archive
from web.finding import find_presence
from web.htmx import render_page
from web.referrers import fetch_referrers, told_of
from web.typed import typed

_REFERRERS_SECONDS: Final = 5.0
_ARCHIVE_SECONDS: Final = 15.0


@require_safe
@readers_only
def layer(request: HttpRequest, registry: str, repository: str, digest: str, number: int) -> HttpResponse:
    """Who else uses a layer."""
    presence = find_presence(request, registry, repository, digest)
    uses = ManifestBlob.objects.select_related("blob").filter(position__gt=0)
    use = get_object_or_404(uses, manifest=presence.manifest_id, position=number)
    gone = presence.gone_at is not None
    context = {"blob": use.blob, "sharers": sharers_of(use.blob.digest, presence.repository, gone=gone)}
    return _part(request, presence, "layer", context | {"number": number})


@require_safe
@readers_only
def referrers(request: HttpRequest, registry: str, repository: str, digest: str) -> HttpResponse:
    """What the registry itself says is attached, besides what the scans have found."""
    presence = find_presence(request, registry, repository, digest)
    image = read_image(presence, typed(request, "platform"))
    digests = list(dict.fromkeys(one.digest for one in (image.manifest, image.shown) if one))
    found, problem = ask(
        presence.repository.registry,
        lambda client: fetch_referrers(client, presence.repository.name, digests),
        _REFERRERS_SECONDS,
    )
    known = {attachment.digest for attachment in image.attachments}
    told = told_of([one for one in found or () if str(one.digest) not in known], presence.repository)
    context = {"title": gettext("Attached"), "referrers": told, "has_api": found is not None, "problem": problem}
    return _part(request, presence, "referrers", context)


@require_safe
@readers_only
def chart_files(request: HttpRequest, registry: str, repository: str, digest: str) -> HttpResponse:
    """The values, the README and the names of the files of a chart, from its archive."""
    presence = find_presence(request, registry, repository, digest)
    if presence.manifest.kind != Manifest.Kind.CHART:
        raise Http404
    archive = archive_of(read_image(presence))
    files, problem = ask(
        presence.repository.registry,
        lambda client: unpack_chart(fetch_archive(client, presence.repository.name, archive)),
        _ARCHIVE_SECONDS,
    )
    return _part(request, presence, "chart_files", {"title": gettext("Chart"), "files": files, "problem": problem})


@require_safe
@readers_only
def family(request: HttpRequest, registry: str, repository: str, digest: str) -> HttpResponse:
    """What the image builds on, and what builds on it; `digest` is that of one platform."""
    presence = find_presence(request, registry, repository, digest)
    found = family_of(presence.manifest, Registry.objects.active())
    return _part(request, presence, "family", {"title": gettext("Family"), "family": found, "home": registry})


def _part(request: HttpRequest, presence: Presence, name: str, context: dict[str, Any]) -> HttpResponse:
    context |= {"repository": presence.repository, "manifest": presence.manifest, "part": f"images/{name}.html"}
    return render_page(request, "images/part.html", context, part=f"images/{name}.html")
