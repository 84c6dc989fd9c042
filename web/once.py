"""Forms whose answer shows a secret: nothing else ever shows it, so no redirect follows, and a reload sends them again.

What is sent again does nothing again: each form has a name of its own, and the session knows those that came.
"""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest
from django.utils.translation import gettext_lazy

FIELD: Final = "once"  # that the tag of this name writes into a form
SENT_BEFORE: Final = gettext_lazy("That form had been sent before: nothing was done again.")
_SESSION: Final = "sent"
_REMEMBERED: Final = 20  # forms
_LONGEST: Final = 32


def was_sent(request: HttpRequest) -> bool:
    """Whether this very form came before; from now on it did."""
    name, sent = request.POST.get(FIELD, "")[:_LONGEST], request.session.get(_SESSION, [])
    if name and name not in sent:
        request.session[_SESSION] = [*sent, name][-_REMEMBERED:]
    return name in sent
