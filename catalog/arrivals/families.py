"""Which manifest is listed by which index: what events tell of one by one, and people think of as one."""

from __future__ import annotations

from collections.abc import Collection

from catalog.models import IndexEntry, Repository
from catalog.policy import MAX_DEPTH


def parents_here(repository: Repository | None, digests: Collection[str]) -> dict[str, set[str]]:
    """The digests of the indexes in the repository that list each of `digests`."""
    if repository is None or not digests:
        return {}
    entries = IndexEntry.objects.filter(
        digest__in=digests, index__presences__repository=repository, index__presences__gone_at=None
    )
    parents: dict[str, set[str]] = {}
    for digest, index in entries.values_list("digest", "index__digest"):
        parents.setdefault(digest, set()).add(index)
    return parents


def below(digest: str) -> set[str]:
    """The digests of all that an index lists, and what indexes among them list, as far as the catalog knows them."""
    reached: set[str] = set()
    level = {digest}
    for _ in range(MAX_DEPTH):
        level = set(IndexEntry.objects.filter(index__digest__in=level).values_list("digest", flat=True)) - reached
        reached |= level
        if not level:
            break
    return reached
