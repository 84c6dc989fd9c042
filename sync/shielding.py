"""Which tags of a target are protected now: a run takes hours, and whoever protects a tag does not wait for its end."""

from __future__ import annotations

from oci.names import RepositoryName, TagName
from registries.models import Registry
from tagging.models import ProtectionRule
from tagging.protection import RuleBook


class Shield:
    """`look` is for the thread that knows the database; the others may be asked in any."""

    def __init__(self, target: Registry) -> None:
        self._target = target
        self.look()

    def look(self) -> None:
        self._book = RuleBook(ProtectionRule.objects.of(self._target))

    def reason(self, repository: str, tag: str) -> str:
        """A sentence that names the rule which protects the tag; "" where none does."""
        return self._book.reasons(repository, [tag]).get(tag, "")

    def holds(self, repository: RepositoryName, tag: TagName) -> bool:
        return self._book.rule_for(repository, tag) is not None
