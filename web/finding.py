"""Finding what a URL names, for whoever asks: one call that also checks the right to see it, so no view can forget."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from access.policy import may_read
from catalog.models import Presence, Repository, Scan, Tag
from catalog.reads.daily import with_pulls
from catalog.reads.repositories import with_gone_tags
from cleanup.models import Check, ClassicRun, ClassicStep, PinHolder, Policy, RetentionRun, Sweep, UntaggedRun
from jobs.models import Job
from registries.models import Registry, for_asking
from sync.models import Item, Rule, Run
from tagging.models import Plan, TrashEntry
from tagging.models.trash import TrashEntryQuerySet
from web.cleanup.pinned import pin_through
from web.sync.origin import with_origin


def find_registry(request: HttpRequest, name: str) -> Registry:
    check_may_read(request)
    return get_object_or_404(Registry.objects.catalogs().with_last_event(), name=name)


def find_repository(request: HttpRequest, registry: str, name: str) -> Repository:
    """With what the pages of a repository have in common; of the README only whether there is one, as `has_readme`."""
    check_may_read(request)
    rows = with_gone_tags(Repository.objects.select_related("registry", "newest__manifest").with_card())
    return get_object_or_404(with_origin(with_pulls(rows)), registry__name=registry, name=name)


def find_tag(request: HttpRequest, registry: str, repository: str, name: str) -> Tag:
    check_may_read(request)
    rows = Tag.objects.select_related("repository__registry", "presence__manifest__config")
    tag = get_object_or_404(
        rows.annotate(pin=pin_through("presence__manifest")),
        repository__registry__name=registry,
        repository__name=repository,
        name=name,
    )
    if tag.presence:
        tag.presence.repository = tag.repository  # a tag points into its own repository
    return tag


def find_presence(request: HttpRequest, registry: str, repository: str, digest: str) -> Presence:
    """A manifest counts only in its own repository: a digest of another one is not there."""
    check_may_read(request)
    rows = Presence.objects.select_related("repository__registry", "manifest__config")
    return get_object_or_404(
        rows.annotate(pin=pin_through("manifest")),
        repository__registry__name=registry,
        repository__name=repository,
        manifest__digest=digest,
    )


def find_scan(request: HttpRequest, registry: str, scan_id: int) -> Scan:
    check_may_read(request)
    return get_object_or_404(Scan.objects.select_related("registry", "job"), registry__name=registry, pk=scan_id)


def find_job(request: HttpRequest, job_id: int) -> Job:
    check_may_read(request)
    return get_object_or_404(Job.objects.for_people().select_related("requested_by"), pk=job_id)


def find_check(request: HttpRequest, check_id: int) -> Check:
    check_may_read(request)
    rows = Check.objects.select_related("registry", "job__requested_by").defer(*for_asking("registry"))
    return get_object_or_404(rows, pk=check_id)


def find_untagged_run(request: HttpRequest, run_id: int) -> UntaggedRun:
    check_may_read(request)
    rows = UntaggedRun.objects.select_related("registry", "job__requested_by").defer(*for_asking("registry"))
    return get_object_or_404(rows, pk=run_id)


def find_classic_run(request: HttpRequest, run_id: int) -> ClassicRun:
    check_may_read(request)
    rows = ClassicRun.objects.select_related("registry", "job__requested_by").defer(*for_asking("registry"))
    return get_object_or_404(rows, pk=run_id)


def find_step(request: HttpRequest, run_id: int, step_id: int) -> ClassicStep:
    """One command of a garbage collection."""
    check_may_read(request)
    return get_object_or_404(ClassicStep, run=run_id, pk=step_id)


def find_holder(request: HttpRequest, name: str) -> PinHolder:
    """Of pins, with its figures."""
    check_may_read(request)
    return get_object_or_404(PinHolder.objects.with_figures(timezone.now()), name=name)


def find_policy(request: HttpRequest, name: str) -> Policy:
    check_may_read(request)
    return get_object_or_404(Policy.objects.select_related("registry").defer(*for_asking("registry")), name=name)


def find_retention_run(request: HttpRequest, run_id: int) -> RetentionRun:
    check_may_read(request)
    rows = RetentionRun.objects.select_related("registry", "job__requested_by").defer(*for_asking("registry"))
    return get_object_or_404(rows, pk=run_id)


def find_sweep(request: HttpRequest, sweep_id: int) -> Sweep:
    check_may_read(request)
    rows = Sweep.objects.select_related("registry", "job__requested_by").defer(*for_asking("registry"))
    return get_object_or_404(rows, pk=sweep_id)


def find_plan(request: HttpRequest, plan_id: int) -> Plan:
    check_may_read(request)
    rows = Plan.objects.select_related("registry", "repository__registry", "job", "requested_by")
    return get_object_or_404(rows, pk=plan_id)


def find_rule(request: HttpRequest, name: str) -> Rule:
    check_may_read(request)
    rows = Rule.objects.select_related("source", "target").defer(*for_asking("source"), *for_asking("target"))
    return get_object_or_404(rows, name=name)


def find_run(request: HttpRequest, run_id: int) -> Run:
    check_may_read(request)
    rows = Run.objects.select_related("rule", "source", "target", "job__requested_by", "requested_by")
    return get_object_or_404(rows.defer("terms", *for_asking("source"), *for_asking("target")), pk=run_id)


def find_item(request: HttpRequest, run_id: int, position: int) -> Item:
    """One tag of a run, with its run and where that copies to."""
    check_may_read(request)
    return get_object_or_404(Item.objects.select_related("run__target"), run=run_id, position=position)


def find_trash(request: HttpRequest) -> TrashEntryQuerySet:
    """What is in the trash."""
    check_may_read(request)
    return TrashEntry.objects.listed()


def check_may_read(request: HttpRequest) -> None:
    """Readers see everything, nobody else sees anything: what may not be seen is not there."""
    if not may_read(request.user, anonymous_read=settings.ANONYMOUS_READ):
        raise Http404
