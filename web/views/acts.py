"""What is done to the tags of a repository: delete, tag, copy, rename, roll back."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.guards import readers_only, staff_only
from oci.names import parse_repository, parse_tag
from tagging.planning import plan_images, plan_removal, plan_repository, plan_tags
from tagging.planning_copies import Kind, Target, plan_copy
from web.acting import asked_by, done_at_once, to_plan
from web.copy_form import CopyForm
from web.finding import find_presence, find_repository, find_tag
from web.selected import tags_meant
from web.tag_history import entries_of, history_of
from web.typed import names
from web.why import why_of


@require_POST
@staff_only
def delete_tags(request: HttpRequest, registry: str, repository: str) -> HttpResponse:
    """Those that are named, those of the images that are, or of all that the filter in the address leaves."""
    row = find_repository(request, registry, repository)
    tags = tags_meant(request, row)
    return to_plan(request, lambda: plan_tags(row, tags, asked_by(request)), row.get_absolute_url())


@require_POST
@staff_only
def delete_images(request: HttpRequest, registry: str, repository: str) -> HttpResponse:
    """These digests with all their tags."""
    row = find_repository(request, registry, repository)
    digests = names(request, "digest")
    return to_plan(request, lambda: plan_images(row, digests, asked_by(request)), row.get_absolute_url())


@require_POST
@staff_only
def delete_repository(request: HttpRequest, registry: str, repository: str) -> HttpResponse:
    row = find_repository(request, registry, repository)
    return to_plan(request, lambda: plan_repository(row, asked_by(request)), row.get_absolute_url())


@require_POST
@staff_only
def remove_repository(request: HttpRequest, registry: str, repository: str) -> HttpResponse:
    """An empty one, from the storage folder."""
    row = find_repository(request, registry, repository)
    return to_plan(request, lambda: plan_removal(row, asked_by(request)), row.get_absolute_url())


@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
def copy(request: HttpRequest, registry: str, repository: str, digest: str) -> HttpResponse:
    """Give the image another tag, here or in another repository. What overwrites a tag asks once more."""
    place = find_presence(request, registry, repository, digest)
    form = CopyForm.of(request, place)
    if request.method != "POST" or not form.is_valid():
        status = 422 if request.method == "POST" else 200
        context = {"repository": place.repository, "manifest": place.manifest, "form": form}
        return render(request, "acts/copy.html", context, status=status)
    said, answer = form.said, to_plan if form.overwrites else done_at_once
    return answer(
        request,
        lambda: plan_copy(
            place.repository,
            digest,
            said.target,
            asked_by(request),
            kind=said.kind,
            attached=said.attached,
            old_tag=said.old_tag,
        ),
        request.get_full_path(),
    )


@require_safe
@readers_only
def history(request: HttpRequest, registry: str, repository: str, tag: str) -> HttpResponse:
    row = find_tag(request, registry, repository, tag)
    entries = entries_of(row)
    named = history_of(row, entries)
    context = {"tag": row, "repository": row.repository, "history": named, "why": why_of(row, named, entries)}
    return render(request, "acts/history.html", context)


@require_POST
@staff_only
def roll_back(request: HttpRequest, registry: str, repository: str, tag: str) -> HttpResponse:
    """Point the tag to what it pointed to before; where it points now goes to the trash."""
    row = find_tag(request, registry, repository, tag)
    there = find_presence(request, registry, repository, "".join(names(request, "digest")))
    target = Target(parse_repository(repository), parse_tag(tag))
    return done_at_once(
        request,
        lambda: plan_copy(there.repository, there.manifest.digest, target, asked_by(request), kind=Kind.ROLL_BACK),
        reverse("tag-history", args=[registry, repository, row.name]),
    )
