"""The progress of a job as a page shows it: a bar, a line of words, and figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from catalog import folding, removal
from catalog.models import Scan
from cleanup import uploads
from cleanup.classic import running as collecting
from cleanup.models import Check, ClassicRun, RetentionRun, Sweep, UntaggedRun
from cleanup.retention import running as retention
from cleanup.sweeping import running as sweeping
from cleanup.untagged import running as untagged
from cleanup.verifying import running as verifying
from jobs.figures import Figure
from jobs.models import Job
from registries.models import Registry
from sync import running as syncing
from sync.models import Run
from tagging import carrying_out
from tagging.models import Plan

_PHASES: Final[dict[str, Promise]] = {
    "planning": gettext_lazy("Looking at both registries"),
    "weighing": gettext_lazy("Looking at both registries"),
    "listing": gettext_lazy("Listing repositories and tags"),
    "tags": gettext_lazy("Reading tags"),
    "manifests": gettext_lazy("Reading manifests"),
    "configs": gettext_lazy("Reading configs"),
    "removing": gettext_lazy("Removing what was read"),
    "carrying-out": gettext_lazy("Carrying out the plan"),
    "restoring": gettext_lazy("Restoring"),
    "copying": gettext_lazy("Copying"),
    "verifying": gettext_lazy("Checking images"),
    "clearing": gettext_lazy("Removing uploads that were left"),
    "judging": gettext_lazy("Judging tags"),
    "deleting": gettext_lazy("Deleting tags"),
    "folding": gettext_lazy("Counting pulls together"),
    "dry-run": gettext_lazy("Looking at what can go"),
    "read-only-on": gettext_lazy("Making the registry read-only"),
    "compare": gettext_lazy("Looking at what can go"),
    "collect": gettext_lazy("Removing what is not used"),
    "read-only-off": gettext_lazy("Opening the registry again"),
    "restart": gettext_lazy("Waiting for the registry"),
    "waiting": gettext_lazy("Waiting for the registry"),
    "done": gettext_lazy("Finishing"),
}
# Of a kind of jobs, what its phases are called otherwise.
_PHASES_OF: Final[dict[str, dict[str, Promise]]] = {
    untagged.KIND: {
        "planning": gettext_lazy("Looking for what nothing reaches"),
        "carrying-out": gettext_lazy("Deleting what nothing reaches"),
    },
    sweeping.KIND: {
        "marking": gettext_lazy("Reading what is in use"),
        "unlinking": gettext_lazy("Moving blobs aside"),
        "waiting": gettext_lazy("Waiting before it looks again"),
        "asking-again": gettext_lazy("Asking the registry again"),
        "deleting": gettext_lazy("Deleting what lies aside"),
        "putting-back": gettext_lazy("Putting back what lay aside"),
    },
}
_ENDLESS: Final = {sweeping.KIND: frozenset({"clearing", "waiting", "asking-again", "deleting", "putting-back"})}
# Of a kind of jobs, the parameter that names the row which it carries out.
_CLEANUPS: Final[dict[str, tuple[str, Any]]] = {
    retention.KIND: ("run", RetentionRun),
    untagged.KIND: ("run", UntaggedRun),
    collecting.KIND: ("run", ClassicRun),
    sweeping.KIND: ("sweep", Sweep),
}
_OF_TAGS: Final = frozenset({"tags", "manifests", "carrying-out", "restoring", "copying", "planning", "weighing"})
# By the kinds of jobs; all others are scans.
_UNCHANGED: Final = {
    removal.KIND: gettext_lazy("What was removed until then is gone; nothing was changed at the registry."),
    carrying_out.KIND: gettext_lazy("What was not done is as it was."),
    syncing.KIND: gettext_lazy("What was not copied is as it was."),
    folding.KIND: gettext_lazy("No pull was lost: each is counted as before."),
    verifying.KIND: gettext_lazy("A check changes nothing. What it found until then is kept."),
    uploads.KIND: gettext_lazy("What was removed until then is gone; all else is as it was."),
    collecting.KIND: gettext_lazy("What is used is all there."),
    retention.KIND: gettext_lazy("What was not deleted is as it was."),
    untagged.KIND: gettext_lazy("What was not deleted is as it was."),
    sweeping.KIND: gettext_lazy("What is in use is all there."),
}
_CURES: Final = {
    removal.KIND: gettext_lazy(
        "Remove the registry once more on the page of registries: that goes on where this stopped."
    ),
    carrying_out.KIND: gettext_lazy("The page of the plan says what was done, and can carry on with the rest."),
    syncing.KIND: gettext_lazy("The page of the run says what was done, and can go on with the rest."),
    folding.KIND: gettext_lazy("Berth tries again by itself, within the hour."),
    verifying.KIND: gettext_lazy("Test the registry on the page of registries, which says what is wrong."),
    uploads.KIND: gettext_lazy("Test the registry on the page of registries, which says what is wrong."),
    sweeping.KIND: gettext_lazy(
        "The page of the sweep says what lies aside, and can put it back or carry on; what Berth has to know of the"
        " registry is said in the terms of its sweeps."
    ),
    retention.KIND: gettext_lazy("Run it again when that is mended: it goes on with the rest."),
    untagged.KIND: gettext_lazy("Run it again when that is mended: it goes on with the rest."),
    collecting.KIND: gettext_lazy(
        "When its cause is gone it can be run again. A registry that was left read-only is opened by itself."
    ),
}


@dataclass(frozen=True, slots=True)
class JobProgress:
    job: Job

    @property
    def phase(self) -> str:
        """What is under way, in words."""
        if self.job.stop_requested:
            return gettext("Stopping")
        name = self.job.figure("phase")
        if not isinstance(name, str):
            return gettext("Starting")
        return str(_PHASES_OF.get(self.job.kind, {}).get(name) or _PHASES.get(name) or gettext("Starting"))

    @property
    def repositories(self) -> Figure | None:
        return Figure.read(self.job.figure("repositories"))

    @property
    def tags(self) -> Figure | None:
        return Figure.read(self.job.figure("tags"))

    @property
    def manifests(self) -> Figure | None:
        return Figure.read(self.job.figure("manifests"))

    @property
    def configs(self) -> Figure | None:
        return Figure.read(self.job.figure("configs"))

    @property
    def blobs(self) -> Figure | None:
        return Figure.read(self.job.figure("blobs"))

    @property
    def problems(self) -> int:
        figure = Figure.read(self.job.figure("problems"))
        return figure.done if figure else 0

    @property
    def has_figures(self) -> bool:
        """A job that failed before it had counted anything has none worth showing."""
        figure = self.repositories
        return figure is not None and bool(figure.done or self.job.state != Job.State.FAILED)

    @property
    def scan(self) -> Scan | None:
        """The last reading that this job began, where it is one that reads."""
        return self.job.scans.select_related("registry").newest_first().first()

    @property
    def plan(self) -> Plan | None:
        """What it carries out, where it is such a job."""
        return self.job.plans.first() if self.job.kind == carrying_out.KIND else None

    @property
    def run(self) -> Run | None:
        """What it copies from another registry, where it is such a job."""
        key = self.job.subject.removeprefix("sync:")
        return Run.objects.filter(pk=key).only("pk").first() if self.is_sync and key.isdecimal() else None

    @property
    def check(self) -> Check | None:
        """What it checks, where it is such a job."""
        return Check.objects.filter(job=self.job).only("pk").first() if self.job.kind == verifying.KIND else None

    @property
    def cleanup(self) -> models.Model | None:
        """The run of retention, the sweep, or what else of the kind it carries out, where it is such a job."""
        if (found := _CLEANUPS.get(self.job.kind)) is None:
            return None
        name, rows = found
        key = self.job.params.get(name)
        return rows.objects.filter(pk=key).only("pk").first() if isinstance(key, int) else None

    @property
    def is_sync(self) -> bool:
        return self.job.kind == syncing.KIND

    @property
    def can_run_again(self) -> bool:
        """Scans of what is still scanned; a removal is asked for anew on the page of registries."""
        if self.job.kind == removal.KIND:
            return False
        key = self.job.subject.removeprefix("registry:")
        return key.isdecimal() and Registry.objects.active().filter(pk=key).exists()

    @property
    def unchanged(self) -> str:
        """What a failed job left as it was."""
        if (told := _UNCHANGED.get(self.job.kind)) is not None:
            return str(told)
        if self.job.figure("phase") in {None, "listing"}:
            return gettext("The catalog is as the last complete scan left it.")
        return gettext("What was read until then is in the catalog; all else is as the last complete scan left it.")

    @property
    def cure(self) -> str:
        """What to try after a job has failed."""
        if (told := _CURES.get(self.job.kind)) is not None:
            return str(told)
        if not self.can_run_again:
            return gettext("This registry is not scanned any more.")
        return gettext(
            "Test the registry on the page of registries, which says what is wrong. Berth scans again by itself."
        )

    @property
    def percent(self) -> int | None:
        """Of the phase that is under way; None while its end is not known."""
        if self.job.state == Job.State.DONE:
            return 100
        phase = self.job.figure("phase")
        if phase in _ENDLESS.get(self.job.kind, ()):
            return None
        figure = self.blobs if phase == "unlinking" else None
        figure = figure or (self.configs if phase == "configs" else self.tags if phase in _OF_TAGS else None)
        figure = figure or Figure.read(self.job.figure("images"))
        if figure is None or figure.total is None:
            figure = self.repositories
        if figure is None or not figure.total:
            return None
        return max(0, min(100, 100 * figure.done // figure.total))

    @property
    def rate(self) -> float | None:
        """Things a second."""
        rate = None if self.is_sync else self.job.figure("rate")  # which are bytes there
        return float(rate) if isinstance(rate, int | float) and rate > 0 else None

    @property
    def seconds_left(self) -> int | None:
        left = self.job.figure("seconds_left")
        return int(left) if isinstance(left, int | float) and left >= 0 else None
