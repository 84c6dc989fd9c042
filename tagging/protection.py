"""Which tags are protected: neither deleted nor moved through Berth."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from django.utils.translation import gettext_noop

from catalog.models import Repository
from tagging.models import ProtectionRule

_PROTECTED: Final = gettext_noop("it is protected by the rule %(rule)s")
SENTENCES: Final = (_PROTECTED,)


def protected_among(repository: Repository, tags: Iterable[str]) -> dict[str, str]:
    """Those of `tags` that are protected, each with a sentence that names the rule.

    What cannot be decided raises, and nobody goes on: failing to decide means no.
    """
    rules = [
        rule for rule in ProtectionRule.objects.of(repository.registry) if matches(rule.repositories, repository.name)
    ]
    found: dict[str, str] = {}
    for tag in tags if rules else ():
        rule = next((rule for rule in rules if matches(rule.tags, tag)), None)
        if rule is not None:
            found[tag] = _PROTECTED % {"rule": rule}
    return found


def matches(pattern: str, name: str) -> bool:
    """`*` stands for any number of characters, slashes too, and `?` for one; capitals count."""
    return _compiled(pattern).fullmatch(name) is not None


@lru_cache(1_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Runs of stars are one: so that what does not fit is found out in time that grows with the length alone.
    parts = re.split(r"(\*+|\?)", pattern)
    return re.compile("".join({"*": ".*", "?": "."}.get(part[:1], re.escape(part)) for part in parts))
