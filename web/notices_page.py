"""What the pages of notices show of a recipient: how it is, and how the last attempts went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import Count, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notices.kinds import Kind
from notices.models import Attempt, Notice, Subscription
from registries.models import for_asking

_SHORT: Final = {
    Kind.BREACH: gettext_lazy("Breaches"),
    Kind.PUSH: gettext_lazy("Pushes"),
    Kind.DELETE: gettext_lazy("Deletes"),
    Kind.BROKEN: gettext_lazy("Broken images"),
    Kind.JOB_FAILED: gettext_lazy("Failed jobs"),
}
SHOWN = 50  # attempts on a page


@dataclass(frozen=True, slots=True)
class Row:
    """`tone` is that of its chip, `fault` of the last attempt, `waiting` how many notices it has not taken yet."""

    subscription: Subscription
    state: str
    tone: str
    fault: str
    waiting: int

    @property
    def wanted(self) -> list[str]:
        """What it is told, in a word for each."""
        return [str(words) for kind, words in _SHORT.items() if kind in self.subscription.wishes]


def rows() -> list[Row]:
    """All of them, by name, in one query."""
    last = Attempt.objects.filter(subscription=OuterRef("pk")).order_by("-pk").values("fault")[:1]
    waiting = Count("notices", filter=Q(notices__state=Notice.State.WAITING))
    found = Subscription.objects.select_related("registry").defer("secret", "ca", *for_asking("registry"))
    return [_row(one) for one in found.annotate(last=Subquery(last), waiting=waiting).order_by("name", "pk")]


def row_of(subscription: Subscription) -> Row:
    last = subscription.attempts.order_by("-pk").values_list("fault", flat=True).first()
    waiting = subscription.notices.filter(state=Notice.State.WAITING).count()
    subscription.last, subscription.waiting = last, waiting  # type: ignore[attr-defined]  # as `rows` annotates it
    return _row(subscription)


def log(subscription: Subscription) -> list[Attempt]:
    """The newest attempts, each with its notice."""
    return list(subscription.attempts.select_related("notice").order_by("-pk")[:SHOWN])


def _row(subscription: Subscription) -> Row:
    last, waiting = subscription.last, subscription.waiting  # type: ignore[attr-defined]  # annotated
    state, tone = _state(subscription)
    return Row(subscription, state, tone, last or "", waiting)


def _state(subscription: Subscription) -> tuple[str, str]:
    if not subscription.enabled:
        return (_("Switched off by Berth"), "danger") if subscription.why_disabled else (_("Off"), "")
    if subscription.failures:
        return _("Fails"), "warn"
    resume_at = subscription.resume_at
    if resume_at is not None and resume_at > timezone.now():
        return _("Rests"), "info"
    return _("On"), "ok"
