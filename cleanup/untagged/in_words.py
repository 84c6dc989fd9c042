"""A run in words, for a terminal: a line of progress, and what became, or is to become, of each manifest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cleanup.models import UntaggedItem, UntaggedRun
from jobs.figures import Figure
from jobs.models import Job

_SAID: Final = {
    UntaggedRun.Source.FOLDER: "By the storage folder, so all that lies there was looked at.",
    UntaggedRun.Source.CATALOG: "By the catalog, so what no scan has ever seen was not looked at.",
}


def progress_line(job: Job) -> str:
    """As the job has told it last; "" before that."""
    repositories, tags = Figure.read(job.figure("repositories")), Figure.read(job.figure("tags"))
    if tags is not None:
        return f"deleting: {tags.done:,} of {tags.total or tags.done:,} manifests"
    if repositories is not None:
        return f"planning: {repositories.done:,} of {repositories.total or repositories.done:,} repositories"
    return ""


def lines_of(run: UntaggedRun, is_plan: bool) -> Iterator[str]:  # noqa: FBT001  it is one of two ways to say it
    """Repository and digest of each, what becomes of it, and why; then what was not looked at, and why not."""
    for item in run.items.select_related("repository").in_order().iterator():
        end = "goes" if is_plan and item.state == UntaggedItem.State.PLANNED else item.state
        yield f"{end}\t{item.repository.name}@{item.digest}\t{item.note or item.why}"
    if run.source:
        note = f" {run.source_note}" if run.source_note else ""
        yield f"{_SAID[UntaggedRun.Source(run.source)]}{note}"
    for name, why in run.left_alone:
        yield f"left alone\t{name}\t{why}"
    if (more := run.left_alone_count - len(run.left_alone)) > 0:
        yield f"left alone: {more:,} repositories more"
    if run.planned_at is not None:
        yield f"A sweep can free {run.frees:,} bytes by this."
