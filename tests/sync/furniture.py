"""Rows of sync as a test needs them: a rule, its runs, what they do to tags, and what stands because of them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from registries.models import Registry
from sync.models import Item, Rule, Run, Synced
from sync.terms import Terms

DIGEST = "sha256:" + "a" * 64


def source(name: str = "upstream", **more: Any) -> Registry:
    return Registry.objects.create(name=name, url=f"https://{name}.example.org", role=Registry.Role.SOURCE, **more)


def rule(name: str, target: Registry, **more: Any) -> Rule:
    terms = Terms(("library/app",), into="mirror/{repository}").written()
    return Rule.objects.create(name=name, target=target, terms=terms, **{"source": target, **more})


def run(of: Rule, **more: Any) -> Run:
    return Run.objects.create(rule=of, name=of.name, source=of.source, target=of.target, terms=of.terms, **more)


def item(of: Run, position: int, **more: Any) -> Item:
    said = {"act": Item.Act.COPY, "source_repository": "library/app", "source_tag": "1.0", "digest": DIGEST}
    there = {"repository": "mirror/library/app", "tag": "1.0"}
    return Item.objects.create(run=of, position=position, **(said | there | more))


def synced(of: Rule, tag: str, **more: Any) -> Synced:
    now = timezone.now()
    origin = {"source_repository": "library/app", "source_tag": tag, "upstream": DIGEST, "seen": DIGEST}
    there = {"registry": of.target, "repository": "mirror/library/app", "tag": tag, "digest": DIGEST}
    return Synced.objects.create(rule=of, source=of.source, copied_at=now, seen_at=now, **(origin | there | more))
