"""Which tags a form of the list of a repository means."""

from __future__ import annotations

from django.http import HttpRequest

from catalog.models import Repository
from catalog.reads.chosen import chosen_tags
from web.narrowing import narrowing_of
from web.typed import keys, names


def tags_meant(request: HttpRequest, repository: Repository) -> list[str]:
    """Those that are named, those of the images that are, or of all that the filter in the address leaves."""
    if tags := names(request, "tag"):
        return tags
    chosen = None if request.POST.get("all") else keys(request.POST.getlist("image"))
    return chosen_tags(repository, narrowing_of(request), chosen)
