"""Which pages of cleanup are measured, as `page_paths` says it of all others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlencode

from cleanup.models import RetentionRun, Sweep, UntaggedRun
from registry_ui.bench.page_samples import Sample


def _narrowed(sample: Sample, run: RetentionRun | UntaggedRun | Sweep, ends: Sequence[str], **more: str) -> str:
    """All of its rows, or those that came to one end."""
    return f"{run.get_absolute_url()}?{urlencode({**more, 'end': ends[sample.number % len(ends)]})}"


KINDS: Final[dict[str, Callable[[Sample], str]]] = {
    "health": lambda _: "/cleanup/health",
    "health, images of which a part is missing": lambda _: "/cleanup/health/incomplete",
    "health, empty repositories": lambda _: "/cleanup/health/empty",
    "policies": lambda _: "/cleanup/policies",
    "policy": lambda sample: sample.policy.get_absolute_url(),
    "form of a policy": lambda sample: f"{sample.policy.get_absolute_url()}/edit",
    "retention runs": lambda _: "/cleanup/runs",
    "retention run": lambda sample: _narrowed(sample, sample.judged.run, ("", "goes", "loses")),
    "retention run, a repository": lambda sample: _narrowed(
        sample, sample.judged.run, ("", "goes", "stays"), place=str(sample.judged.pk)
    ),
    "API, checks": lambda _: "/api/v1/checks",
    "untagged manifests": lambda _: "/cleanup/untagged",
    "run over untagged manifests": lambda sample: _narrowed(sample, sample.untagged, ("", "failed", "done")),
    "pins": lambda _: "/cleanup/pins",
    "pins of a holder": lambda sample: sample.holder.get_absolute_url(),
    "API, pins": lambda _: "/api/v1/pins",
    "garbage collections": lambda _: "/cleanup/commands",
    "API, garbage collections": lambda _: "/api/v1/garbage-collections",
    "API, untagged manifests": lambda _: "/api/v1/untagged",
    "cleanup": lambda _: "/cleanup",
    "sweeps": lambda _: "/cleanup/sweeps",
    "sweep": lambda sample: _narrowed(sample, sample.swept, ("", "aside", "kept")),
    "API, sweeps": lambda _: "/api/v1/sweeps",
    "API, policies": lambda _: "/api/v1/retention/policies",
    "API, retention runs": lambda _: "/api/v1/retention/runs",
}
