"""Protected tags that were moved or deleted from outside: recorded, and kept so that they can be put back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from audit.models import Entry
from audit.services import record
from catalog.models import TagSpan
from registries.models import Registry, for_asking
from tagging.models import BreachLook, ProtectionRule, TrashEntry
from tagging.protection import RuleBook
from tagging.trash import Going, end_of_keeping, keep_images

_OVERLAP: Final = timedelta(minutes=5)  # a change is written some time after its moment
_TOGETHER: Final = 500
_CLAIMED: Final = ("source", "actor", "address", "user_agent", "claimed_at")


def look(now: datetime) -> None:
    """Look at all changes since the last look, in each registry that has rules. A second look finds nothing new."""
    for registry in Registry.objects.active():
        rules = list(ProtectionRule.objects.of(registry))
        last, _ = BreachLook.objects.get_or_create(registry=registry, defaults={"looked_until": now})
        if rules:
            for span in _ended(registry, last.looked_until - _OVERLAP):
                _note(registry, RuleBook(rules), span, now)
        BreachLook.objects.filter(pk=last.pk).update(looked_until=now)


def _ended(registry: Registry, since: datetime) -> Iterable[TagSpan]:
    spans = TagSpan.objects.filter(repository__registry=registry, ended__gt=since).order_by("ended", "id")
    rows = spans.select_related("tag", "repository__registry", "manifest").defer(*for_asking("repository__registry"))
    return rows.iterator(chunk_size=_TOGETHER)


def _note(registry: Registry, rules: RuleBook, span: TagSpan, now: datetime) -> None:
    """Record the end of a span as a breach, if it is one: a rule forbade it by then, and it was not done here."""
    assert span.ended is not None  # noqa: S101  it was asked for so
    rule = rules.rule_for(span.repository.name, span.tag.name)
    if rule is None or rule.created_at > span.ended or _is_ours(registry, span):
        return
    after = TagSpan.objects.filter(tag=span.tag, began=span.ended).select_related("manifest").first()
    now_at = after.manifest.digest if after else ""
    key, told = f"breach:{span.pk}", _told(registry, span, now_at)
    with transaction.atomic():
        BreachLook.objects.select_for_update().get(registry=registry)  # of two looks at once, one after the other
        if Entry.objects.filter(key=key).exists():
            return
        record(
            [
                Entry(
                    key=key,
                    at=span.ended,
                    act=Entry.Act.BREACH_MOVE if after else Entry.Act.BREACH_DELETE,
                    outcome=Entry.Outcome.DONE,
                    registry=registry.name,
                    registry_id=registry.pk,
                    repository=span.repository.name,
                    tag=span.tag.name,
                    digest_before=span.manifest.digest,
                    digest_after=now_at,
                    why=rule.why,
                    detail=str(rule),
                    **told,
                )
            ]
        )
        going = [Going(span.tag.name, span.manifest.digest)]
        said = {"registry": registry, "how": TrashEntry.How.OUTSIDE, "why": str(rule), "deleted_at": span.ended}
        keep_images(span.repository, going, {**said, "until": end_of_keeping(now)}, since=span.ended)


def _told(registry: Registry, span: TagSpan, digest_after: str) -> dict[str, Any]:
    """Who is said to have done it, where the registry told of it: before it was seen, if that had to be later."""
    entries = Entry.objects.of_tag(registry.pk, span.repository.name, span.tag.name).but_pulls()
    events = entries.filter(source=Entry.Source.EVENT, outcome=Entry.Outcome.DONE)
    before = events.filter(digest_after=digest_after, at__gt=span.began, at__lte=span.ended)
    told = events.done_at([span.ended]).newest_first().first() or before.newest_first().first()
    return {name: getattr(told, name) for name in _CLAIMED} if told else {"source": Entry.Source.SCAN}


def _is_ours(registry: Registry, span: TagSpan) -> bool:
    """Whether the audit knows who did it."""
    entries = Entry.objects.of_tag(registry.pk, span.repository.name, span.tag.name)
    ours = entries.done_at([span.ended]).filter(source=Entry.Source.BERTH)
    return ours.exclude(key__startswith="breach:").exists()
