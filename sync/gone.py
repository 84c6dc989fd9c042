"""Tags that a rule has copied in and that are gone upstream: deleted where it is told to, and never in doubt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Repository, Tag
from catalog.recording.chunks import by_number
from jobs.running import Asking, Lease
from oci.client import RegistryClient
from oci.errors import RegistryError, printable
from oci.names import RepositoryName, parse_repository, parse_tag
from oci.transfer.heads import head
from oci.transfer.sides import Side, at
from sync.models import Item, Run, Synced
from sync.terms import Terms
from tagging import services as tagging
from tagging.models import Plan
from tagging.planning import NotPlanned, plan_tags_by_rule
from tagging.protection import protected_among

_TOGETHER: Final = 250  # repositories that are asked for at once, and tags of which the end is written so
_NOTE_LENGTH: Final = 500
_SHARE: Final = 5  # one in so many may go without a yes
_FEW: Final = 1  # and so many may whatever their share is
_MANY: Final = gettext_noop("%(gone)s of the %(all)s tags that this rule has copied in are gone upstream. Delete them?")
_DETAILS: Final = (
    gettext_noop("What else the run had to do is done. None of these tags was deleted."),
    gettext_noop("A source that lost its storage, or shows less than before, looks like this."),
    gettext_noop("With yes they go to the trash, from which they can be restored."),
)
_YES: Final = gettext_noop("Yes, delete them")
_NO: Final = gettext_noop("No, keep them")
_WHY: Final = gettext_noop("gone upstream, by the rule %(name)s")
_PLAN: Final = gettext_noop("deleted by plan %(n)s")
_MOVED: Final = gettext_noop("it points to another image than the rule has put there")
_UNKNOWN: Final = gettext_noop("the catalog does not know the tag yet")
_GONE_HERE: Final = gettext_noop("it is gone here too")
_THERE: Final = gettext_noop("the source has it after all, though it did not list it")
_NOT_ASKED: Final = gettext_noop("the source could not be asked whether it is gone: %(why)s")
_REMOVED: Final = gettext_noop("the rule was removed, so what it has copied stays")
SENTENCES: Final = (
    _MANY,
    *_DETAILS,
    _YES,
    _NO,
    _WHY,
    _PLAN,
    _MOVED,
    _UNKNOWN,
    _GONE_HERE,
    _THERE,
    _NOT_ASKED,
    _REMOVED,
)


def vanished(run: Run, listed: Mapping[RepositoryName, frozenset[str]]) -> list[Synced]:
    """What stands at the target and has gone upstream, of repositories that were listed to their end.

    An empty list apart: that is no answer that anything rests on.
    """
    rows = Synced.objects.filter(registry=run.target, source=run.source).exclude(source_tag="")
    found: list[Synced] = []
    for names in by_number(listed, _TOGETHER):
        of_them = rows.filter(source_repository__in=names).order_by("repository", "tag")
        found += (
            row
            for row in of_them
            if (tags := listed[RepositoryName(row.source_repository)]) and row.source_tag not in tags
        )
    return found


def to_delete(run: Run, terms: Terms, rows: Iterable[Synced]) -> list[Item]:
    """Those of them that the rule of `run` has copied in, if it is to delete them."""
    if not terms.deletes_gone or run.rule_id is None:
        return []
    return [
        Item(
            act=Item.Act.DELETE,
            source_repository=row.source_repository,
            source_tag=row.source_tag,
            digest=row.upstream,
            repository=row.repository,
            tag=row.tag,
            before=row.digest,
            why="gone",
        )
        for row in rows
        if row.rule_id == run.rule_id
    ]


def guard(run: Run, allowed: Mapping[str, Any]) -> None:
    """Raises Asking where too many would go."""
    if run.rule_id is None:
        return
    doomed = run.items.open().filter(act=Item.Act.DELETE).count()
    had = Synced.objects.filter(rule=run.rule, registry=run.target, source=run.source).count()
    if doomed > max(_FEW, had // _SHARE, int(allowed.get("gone", 0))):
        text = _MANY % {"gone": f"{doomed:,}", "all": f"{had:,}"}
        question = {"kind": "gone", "text": text, "details": list(_DETAILS), "yes": _YES, "no": _NO}
        raise Asking({**question, "allow": {"gone": doomed}})


def delete(run: Run, lease: Lease, source: RegistryClient) -> None:
    """By plans of tagging, one for each repository: they look once more, know aliases, and fill the trash.

    The source is asked for each tag before: one that it only did not list, or has again, stays.
    """
    by_repository: dict[str, list[Item]] = {}
    if run.rule_id is None:
        doomed = run.items.open().filter(act=Item.Act.DELETE)
        with lease.writing():
            doomed.update(state=Item.State.SKIPPED, note=_REMOVED, ended_at=timezone.now())
        return
    for item in run.items.open().filter(act=Item.Act.DELETE).in_order():
        by_repository.setdefault(item.repository, []).append(item)
    for name, items in by_repository.items():
        row = Repository.objects.select_related("registry").filter(registry=run.target, name=name).first()
        there: dict[str, str] = {}
        for item in items:
            lease.tell(phase="copying")
            there[item.tag] = _why_there(source, item)
        _delete(run, lease, row, items, {tag: why for tag, why in there.items() if why})


def _why_there(source: RegistryClient, item: Item) -> str:
    """A sentence where the source may have it; "" where it says that it has not."""
    try:
        with at(Side.SOURCE):
            found = head(source, parse_repository(item.source_repository), parse_tag(item.source_tag))
    except RegistryError as error:
        return printable(_NOT_ASKED % {"why": error}, _NOTE_LENGTH)
    return _THERE if found else ""


def _delete(run: Run, lease: Lease, repository: Repository | None, items: list[Item], there: Mapping[str, str]) -> None:
    why_not = {**_why_not(repository, items), **there}
    plan: Plan | None = None
    if repository is not None:
        try:
            pointed = {item.tag: item.before for item in items if item.tag not in why_not}
            plan = plan_tags_by_rule(repository, pointed, run.name, _WHY % {"name": run.name})
        except NotPlanned:
            plan = None
    if plan:  # before it is said: whoever dies in between plans what is left of it anew
        tagging.carry_out_by_rule(plan)
    planned = set(plan.items.values_list("tag", flat=True)) if plan else set()
    now = timezone.now()
    for item in items:
        is_planned = item.tag in planned
        item.state = Item.State.DONE if is_planned else Item.State.SKIPPED
        item.note = _PLAN % {"n": plan.pk} if plan and is_planned else why_not.get(item.tag, _MOVED)
        item.ended_at = now
    for some in by_number(items, _TOGETHER):
        with lease.writing():
            Item.objects.bulk_update(some, ["state", "note", "ended_at"])
            _forget(run, [item for item in some if item.tag in planned or item.note == _GONE_HERE])


def _why_not(repository: Repository | None, items: Iterable[Item]) -> dict[str, str]:
    """Those of the tags that are not to be deleted, or cannot be, each with a sentence that says why."""
    tags = [item.tag for item in items]
    if repository is None:
        return dict.fromkeys(tags, _UNKNOWN)
    why_not = dict.fromkeys(tags, _UNKNOWN)
    for some in by_number(tags, _TOGETHER):
        known = Tag.objects.filter(repository=repository, name__in=some).values_list("name", "gone_at")
        why_not |= {name: _GONE_HERE if gone_at else "" for name, gone_at in known}
    why_not |= protected_among(repository, (tag for tag in tags if not why_not[tag]))
    return {tag: why for tag, why in why_not.items() if why}


def _forget(run: Run, items: Iterable[Item]) -> None:
    known = Synced.objects.of_tags(run.target, [(item.repository, item.tag) for item in items]).locked()
    Synced.objects.filter(pk__in=list(known.values_list("pk", flat=True))).delete()
