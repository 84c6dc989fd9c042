"""When to give up on a registry that has stopped answering."""

from __future__ import annotations

import threading
from typing import Final

from django.utils.translation import gettext_noop

from oci.errors import Refused, RegistryError, Unreachable
from oci.retries import BUSY
from oci.storage import StorageFault, Unreadable

_LIMIT: Final = 25
_SILENT: Final = gettext_noop("%(n)s requests in a row got no answer, the last one: %(failure)s")
SENTENCES: Final = (_SILENT,)


class Patience:
    """Counts requests in a row that got no answer, or after all tries none but that it is too busy for one.

    Any other refusal or nonsense is a fact about one repository, however many have it; this 25 times in a row is
    a fact about the registry, which would be asked for days. Threads share it: each says at once what it heard, and
    asks before it asks the registry whether that makes sense any more.
    """

    def __init__(self) -> None:
        self._unanswered = 0
        self._counting = threading.Lock()
        self._end: Unreachable | None = None

    def check(self) -> None:
        """Raises what `heard` has raised, once it has."""
        if self._end is not None:
            raise self._end

    def heard(self, failure: RegistryError | None) -> None:
        """Raises Unreachable at the 25th in a row; a storage folder that is taken away is silent too."""
        with self._counting:
            self._unanswered = self._unanswered + 1 if is_silent(failure) else 0
            if self._unanswered >= _LIMIT and self._end is None:
                self._end = Unreachable(_SILENT % {"n": _LIMIT, "failure": failure})
        self.check()


def is_silent(failure: RegistryError | None) -> bool:
    """Whether it is the registry that did not answer, and not a repository that it refused."""
    silent = isinstance(failure, Unreachable | StorageFault) and not isinstance(failure, Unreadable)
    return silent or (isinstance(failure, Refused) and failure.answered in BUSY)
