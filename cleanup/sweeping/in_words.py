"""A sweep in words, for a terminal: a line of progress, and what became, or is to become, of each blob."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cleanup.models import Sweep, SweptBlob
from jobs.figures import Figure
from jobs.models import Job

_ROWS: Final = 1_000
_PHASES: Final = {
    "clearing": "removing uploads that were left",
    "waiting": "waiting before it looks again",
    "asking-again": "asking the registry again",
    "deleting": "deleting what lies aside",
    "putting-back": "putting back what lay aside",
}


def progress_line(job: Job) -> str:
    """As the job has told it last; "" before that."""
    phase = job.figure("phase")
    if phase == "marking" and (read := Figure.read(job.figure("repositories"))) is not None:
        return f"marking: {read.done:,} of {read.total or read.done:,} repositories"
    if phase == "unlinking" and (blobs := Figure.read(job.figure("blobs"))) is not None:
        return f"moving aside: {blobs.done:,} of {blobs.total or blobs.done:,} blobs"
    return _PHASES.get(phase, "") if isinstance(phase, str) else ""


def lines_of(sweep: Sweep) -> Iterator[str]:
    """What becomes of each blob, its digest, bytes, and the repositories that link it; then the same of uploads."""
    for blob in sweep.blobs.in_order().iterator(chunk_size=_ROWS):
        end = "goes" if blob.state == SweptBlob.State.PLANNED else blob.state
        repositories = ",".join(sorted({repository for repository, _ in blob.links}))
        yield f"{end}\t{blob.digest}\t{blob.size}\t{repositories or '-'}"
    for upload in sweep.uploads.in_order().iterator(chunk_size=_ROWS):
        end = "removed" if upload.removed_at else "goes"
        yield f"{end}\tupload {upload.uuid}\t{upload.size}\t{upload.repository}"
