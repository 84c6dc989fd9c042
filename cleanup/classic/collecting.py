"""`garbage-collect` itself: dry, to see what it would remove; and in earnest, when nothing speaks against that."""

from __future__ import annotations

from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext_noop

from cleanup.classic.output import NotUnderstood, Output, Summary
from cleanup.classic.policy import FINAL, Dooming, Objection, objections
from cleanup.classic.steps import StepFailed, Steps
from cleanup.classic.weighing import Weighing
from cleanup.models import ClassicStep
from jobs.running import Asking

_NOT_UNDERSTOOD: Final = gettext_noop("What garbage-collect printed is not understood: %(fault)s")
_MANIFESTS: Final = gettext_noop(
    "It would remove %(n)s manifests, so it has --delete-untagged somewhere, which deletes images of several platforms"
)
_IN_USE: Final = gettext_noop(
    "It would remove %(digest)s and an image in %(repository)s uses that, as the catalog has it. Scan the registry, and"
    " look whether that image is whole"
)
_MORE: Final = gettext_noop("It would remove more than was planned: %(doomed)s of %(all)s blobs")
_TRASH: Final = gettext_noop("It would remove blobs of %(n)s images in the trash, more than was planned")
_MANY: Final = gettext_noop("%(doomed)s of the %(all)s blobs of %(name)s would be removed. Go on?")
_OF_TRASH: Final = gettext_noop("%(n)s images in the trash could not be restored any more. Go on?")
_OF_BOTH: Final = gettext_noop(
    "%(doomed)s of the %(all)s blobs of %(name)s would be removed, and %(n)s images in the trash could not be restored"
    " any more. Go on?"
)
_DETAILS: Final = (
    gettext_noop("Nothing was changed: this is what a dry run says."),
    gettext_noop("With yes, the registry is read-only until it is over, and is restarted twice."),
)
_YES: Final = gettext_noop("Yes, remove them")
_NO: Final = gettext_noop("No, leave them")
SENTENCES: Final = (
    *(_NOT_UNDERSTOOD, _MANIFESTS, _IN_USE, _MORE, _TRASH, _MANY, _OF_TRASH, _OF_BOTH, *_DETAILS, _YES, _NO),
)


def dry_run(steps: Steps, kind: ClassicStep.Kind) -> Dooming:
    """What would be removed, which the row of the run keeps. Raises StepFailed, Stopped, LeaseLost."""
    weighing = Weighing(steps.run.registry, timezone.now())
    summary = _run(steps, kind, Output(weighing.take))
    steps.note(
        marked=summary.marked,
        doomed=summary.doomed,
        doomed_size=weighing.size,
        of_unknown_size=weighing.unknown,
        in_use=weighing.in_use,
        in_trash=weighing.in_trash,
        removed_from=weighing.samples,
        planned_at=timezone.now(),
    )
    return Dooming(summary.marked, summary.doomed, summary.manifests, len(weighing.in_use), weighing.in_trash)


def collect(steps: Steps) -> None:
    """In earnest. Raises StepFailed, Stopped, LeaseLost."""
    summary = _run(steps, ClassicStep.Kind.COLLECT, Output(lambda _digests: None))
    if summary.manifests:
        raise StepFailed(_MANIFESTS % {"n": f"{summary.manifests:,}"})


def judge(steps: Steps, dooming: Dooming, *, may_ask: bool) -> None:
    """Raises StepFailed where nobody's yes helps, or nobody may be asked now; Asking where one would."""
    found = objections(dooming, steps.lease.params.get("allowed", {}))
    if not found:
        return
    if found[0] in FINAL or not may_ask:
        raise StepFailed(_refusal(steps, found[0], dooming))
    raise Asking(question(steps.run.registry.name, found, dooming))


def question(name: str, found: list[Objection], dooming: Dooming) -> dict[str, Any]:
    """What a person is asked, as a job keeps it."""
    texts = {(Objection.MANY,): _MANY, (Objection.TRASH,): _OF_TRASH, (Objection.MANY, Objection.TRASH): _OF_BOTH}
    return {
        "kind": "collect-garbage",
        "text": texts[tuple(found)] % {"name": name, "n": f"{dooming.in_trash:,}", **_counts(dooming)},
        "details": list(_DETAILS),
        "yes": _YES,
        "no": _NO,
        "allow": dooming.leave,
    }


def _run(steps: Steps, kind: ClassicStep.Kind, output: Output) -> Summary:
    command = steps.way.collect if kind == ClassicStep.Kind.COLLECT else steps.way.dry_run
    step = steps.carry_out(kind, command, output.feed)
    try:
        summary = output.summary()
    except NotUnderstood as fault:
        raise StepFailed(_NOT_UNDERSTOOD % {"fault": fault}) from fault
    step.figures = {"marked": summary.marked, "doomed": summary.doomed, "manifests": summary.manifests}
    with steps.lease.writing():
        step.save(update_fields=["figures"])
    return summary


def _refusal(steps: Steps, objection: Objection, dooming: Dooming) -> str:
    match objection:
        case Objection.MANIFESTS:
            return _MANIFESTS % {"n": f"{dooming.manifests:,}"}
        case Objection.IN_USE:
            digest, repository = steps.run.in_use[0]
            return _IN_USE % {"digest": digest, "repository": repository}
        case Objection.MANY:
            return _MORE % _counts(dooming)
        case Objection.TRASH:
            return _TRASH % {"n": f"{dooming.in_trash:,}"}


def _counts(dooming: Dooming) -> dict[str, str]:
    return {"doomed": f"{dooming.doomed:,}", "all": f"{dooming.marked + dooming.doomed:,}"}
