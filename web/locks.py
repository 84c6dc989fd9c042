"""Which tags of a page are protected: to show, not to decide by. It costs no query beside the one of the frame."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.http import HttpRequest

from catalog.models import Repository
from tagging.models import ProtectionRule
from tagging.protection import RuleBook
from web.context import active_registries


def locks_of(request: HttpRequest, repository: Repository, tags: Iterable[str]) -> dict[str, str]:
    """Those of `tags` that are protected, each with the reason; none of a registry that has retired."""
    rules = [
        ProtectionRule(repositories=repositories, tags=pattern)
        for registry in active_registries(request)
        if registry.pk == repository.registry_id
        for repositories, pattern in json.loads(registry.protection)  # type: ignore[attr-defined]  # annotated
    ]
    return RuleBook(rules).reasons(repository.name, tags)
