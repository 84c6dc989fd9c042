"""The page of a plan: what it would do, or has done, in the words and figures that a person decides by."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, ngettext

from catalog.reads.keyset import Column, Order, Page, paged
from oci.names import parse_repository
from registries.models import for_asking
from tagging.means import Means, Way, means_to_delete, problem_with_push
from tagging.models import Plan, PlanItem, PlannedImage
from tagging.trash import end_of_keeping
from tagging.undoing import can_undo
from web.asking import ask
from web.job_progress import JobProgress
from web.locks import locks_of
from web.sentences import said

_COLUMNS: Final = {"position": Column("position", int)}
_DELETIONS: Final = frozenset({Plan.Act.DELETE_TAGS, Plan.Act.DELETE_IMAGES, Plan.Act.DELETE_REPOSITORY})
_OF_REPOSITORIES: Final = frozenset({Plan.Act.DELETE_REPOSITORY, Plan.Act.REMOVE_REPOSITORY})
_SHOWN: Final = 50  # images of which it is said what stays
_BEFORE_FOLD: Final = 5  # of these: what goes is to be seen without scrolling far
_NAMED: Final = 12  # protected tags, by name
_ALL_PROTECTED: Final = gettext_lazy("Every tag of it is protected, and would be left alone.")
_TYPED_FROM: Final = 100  # tags; who deletes more types the name of the repository
_PATIENCE: Final = 5.0  # seconds for each question to the registry
_STATE: Final = PlanItem.State
_WAITING: Final = frozenset({Plan.State.PLANNED, Plan.State.BROKEN_OFF})
_TITLES: Final = {
    Plan.Act.DELETE_TAGS: gettext_lazy("Delete %(tags)s of %(name)s"),
    Plan.Act.DELETE_IMAGES: gettext_lazy("Delete images of %(name)s with all their tags"),
    Plan.Act.DELETE_REPOSITORY: gettext_lazy("Delete %(name)s with everything in it"),
    Plan.Act.REMOVE_REPOSITORY: gettext_lazy("Remove %(name)s for good"),
    Plan.Act.RESTORE: gettext_lazy("Restore in %(name)s"),
    Plan.Act.COPY: gettext_lazy("Tag an image as %(name)s:%(tag)s"),
    "one-tag": gettext_lazy("Delete the tag %(tag)s of %(name)s"),
    "rename": gettext_lazy("Rename %(old)s of %(name)s to %(tag)s"),
    "roll-back": gettext_lazy("Point %(name)s:%(tag)s back"),
}
_BUTTONS: Final = {
    Plan.Act.DELETE_TAGS: gettext_lazy("Delete %(tags)s"),
    Plan.Act.DELETE_IMAGES: gettext_lazy("Delete with %(tags)s"),
    Plan.Act.DELETE_REPOSITORY: gettext_lazy("Delete everything in it"),
    Plan.Act.REMOVE_REPOSITORY: gettext_lazy("Remove for good"),
    Plan.Act.RESTORE: gettext_lazy("Restore"),
    Plan.Act.COPY: gettext_lazy("Move the tag"),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """How many tags and manifests a plan is about, and what became of them."""

    tags: int
    manifests: int
    by_state: dict[str, int]

    @property
    def open(self) -> int:
        return self.by_state.get(_STATE.PLANNED, 0) + self.by_state.get(_STATE.BEGUN, 0)

    @property
    def done(self) -> int:
        return self.by_state.get(_STATE.DONE, 0)

    @property
    def left_alone(self) -> int:
        return self.by_state.get(_STATE.SKIPPED, 0) + self.by_state.get(_STATE.FAILED, 0)


@dataclass(frozen=True, slots=True)
class Impact:
    """What a deletion leaves: images with tags that stay, those that an index holds, and what hangs on nothing."""

    staying: int = 0  # tags
    referrers: int = 0
    children: int = 0
    partly: list[PlannedImage] = field(default_factory=list)
    held: list[PlannedImage] = field(default_factory=list)
    protected: dict[str, str] = field(default_factory=dict)  # open tags that will be left alone, and why

    @property
    def first_partly(self) -> list[PlannedImage]:
        return self.partly[:_BEFORE_FOLD]

    @property
    def more_partly(self) -> list[PlannedImage]:
        return self.partly[_BEFORE_FOLD:]

    @property
    def first_protected(self) -> list[str]:
        return list(self.protected)[:_NAMED]


@dataclass(frozen=True, slots=True)
class PlanPage:
    plan: Plan
    figures: Figures
    items: Page[PlanItem]
    impact: Impact
    means: Means | None  # None: the registry was not asked
    progress: JobProgress | None
    can_undo: bool

    @property
    def is_deletion(self) -> bool:
        return self.plan.act in _DELETIONS

    @property
    def leaves_images(self) -> bool:
        """Tags go of images that stay: how that is done is to be told."""
        stays = self.impact.held or self.impact.protected
        return self.plan.act == Plan.Act.DELETE_TAGS or (self.is_deletion and bool(stays))

    @property
    def is_open(self) -> bool:
        """Somebody may say yes: to all of it, or to what was left when it was broken off."""
        return self.plan.state in _WAITING and self.figures.open > 0

    @property
    def problem(self) -> str:
        """Why it cannot be carried out now."""
        if self.is_open and len(self.impact.protected) == self.figures.open:
            return str(_ALL_PROTECTED)
        return said(self.means.problem) if self.means else ""

    @property
    def typed_name(self) -> str:
        """What a person has to type who wants this: nothing for what is small."""
        is_large = self.plan.act in _OF_REPOSITORIES or (self.is_deletion and self.figures.tags > _TYPED_FROM)
        return self.plan.repository.name if is_large and self.plan.repository else ""

    @property
    def left_entries(self) -> list[int]:
        """What a restore left in the trash, since its tags point elsewhere by now; of the page that is shown."""
        is_over = self.plan.act == Plan.Act.RESTORE and self.plan.ended_at is not None
        skipped = (item for item in self.items.rows if item.state == _STATE.SKIPPED and item.digest)
        return [item.entry_id for item in skipped if item.entry_id] if is_over else []

    @property
    def kept_until(self) -> datetime:
        return end_of_keeping(timezone.now())

    @property
    def title(self) -> str:
        return str(_TITLES[self._kind]) % self._words

    @property
    def yes(self) -> str:
        """What the button says."""
        if self.plan.state == Plan.State.BROKEN_OFF:
            return gettext("Carry on with the rest")
        going = self.figures.tags - len(self.impact.protected) or self.figures.tags
        return str(_BUTTONS[Plan.Act(self.plan.act)]) % (self._words | {"tags": _tags(going)})

    @property
    def _kind(self) -> str:
        """The act, and more exactly where there is a word for it."""
        if self.plan.act == Plan.Act.DELETE_TAGS and self._only_tag:
            return "one-tag"
        kind = str(self.plan.param("kind"))
        return kind if self.plan.act == Plan.Act.COPY and kind in _TITLES else self.plan.act

    @property
    def _only_tag(self) -> str:
        rows = self.items.rows
        return rows[0].tag if self.figures.tags == 1 and len(rows) == 1 else ""

    @property
    def _words(self) -> dict[str, str]:
        return {
            "name": self.plan.repository.name if self.plan.repository else self.plan.registry.name,
            "tags": _tags(self.figures.tags),
            "tag": str(self.plan.param("tag") or self._only_tag),
            "old": str(self.plan.param("old_tag")),
        }


def plan_page(request: HttpRequest, plan: Plan) -> PlanPage:
    figures = _figures(plan)
    page = PlanPage(
        plan=plan,
        figures=figures,
        items=paged(
            PlanItem.objects.filter(plan=plan),
            Order.parse(None, _COLUMNS),
            request.GET.get("page"),
            whole=lambda items: items.select_related("repository__registry").defer(*for_asking("repository__registry")),
        ),
        impact=_impact(request, plan) if plan.act in _DELETIONS else Impact(),
        means=None,
        progress=JobProgress(plan.job) if plan.job and plan.job.is_moving else None,
        can_undo=plan.ended_at is not None and figures.done > 0 and can_undo(plan),
    )
    return replace(page, means=_means(page)) if page.is_open else page


def _tags(count: int) -> str:
    return ngettext("%(n)s tag", "%(n)s tags", count) % {"n": f"{count:,}"}


def _figures(plan: Plan) -> Figures:
    rows = plan.items.order_by().values_list("state", "step").annotate(n=Count("pk"))
    by_state: dict[str, int] = {}
    tags = manifests = 0
    for state, step, n in rows:
        by_state[state] = by_state.get(state, 0) + n
        if step in {PlanItem.Step.DELETE_TAG, PlanItem.Step.PUT_TAG}:
            tags += n
        else:
            manifests += n
    return Figures(tags, manifests, by_state)


def _impact(request: HttpRequest, plan: Plan) -> Impact:
    rows = PlannedImage.objects.filter(plan=plan)
    sums: dict[str, Any] = rows.aggregate(
        all_staying=Sum("staying"),
        all_referrers=Sum("referrers", filter=Q(staying=0)),
        all_children=Sum("children", filter=Q(staying=0)),
    )
    shown = list(
        rows.select_related("repository__registry")
        .defer(*for_asking("repository__registry"))
        .filter(Q(staying__gt=0) | ~Q(held_by=[]))
        .order_by("pk")[:_SHOWN]
    )
    return Impact(
        staying=sums["all_staying"] or 0,
        referrers=sums["all_referrers"] or 0,
        children=sums["all_children"] or 0,
        partly=[image for image in shown if image.staying],
        held=[image for image in shown if image.held_by],
        protected=_protected(request, plan) if plan.state in _WAITING else {},
    )


def _protected(request: HttpRequest, plan: Plan) -> dict[str, str]:
    goes = plan.items.open().filter(step=PlanItem.Step.DELETE_TAG).in_order().values_list("tag", flat=True)
    return locks_of(request, plan.repository, goes) if plan.repository else {}


def _means(page: PlanPage) -> Means:
    """Whether the registry would do this: asked before anybody says yes."""
    plan = page.plan
    if not page.items.rows:
        return Means(Way.NONE)
    name = parse_repository(page.items.rows[0].repository.name)
    if plan.act in _DELETIONS | _OF_REPOSITORIES:
        found, problem = ask(plan.registry, lambda client: means_to_delete(plan.registry, client, name), _PATIENCE)
        return found or Means(Way.NONE, problem)
    refused, problem = ask(plan.registry, lambda client: problem_with_push(client, name), _PATIENCE)
    return Means(Way.NONE, problem if refused is None else refused)
