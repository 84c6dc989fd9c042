"""When to give up on a registry that has stopped answering."""

from __future__ import annotations

from typing import Final

from oci.errors import RegistryError, Unreachable
from oci.storage import StorageFault, Unreadable

_LIMIT: Final = 25


class Patience:
    """Counts requests in a row that got no answer at all.

    A refusal or nonsense is a fact about one repository, however many have it; no answer 25 times
    in a row is a fact about the registry.
    """

    def __init__(self) -> None:
        self._unanswered = 0

    def heard(self, failure: RegistryError | None) -> None:
        """Raises Unreachable at the 25th silence in a row; a storage folder that is taken away is silent too."""
        silent = isinstance(failure, Unreachable | StorageFault) and not isinstance(failure, Unreadable)
        self._unanswered = self._unanswered + 1 if silent else 0
        if self._unanswered >= _LIMIT:
            raise Unreachable(f"{_LIMIT} requests in a row got no answer, the last one: {failure}")
