"""The form of what an admin says of a registry so that it can be swept while it runs."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cleanup.models import SweepTerms
from cleanup.sweeping.terms import LONGEST_URL, Details, InvalidTerms
from registries.models import Registry
from web.cleanup.durations import Duration
from web.hours import Hours, schedule_of, shown, when_field, window_field
from web.plain_text import PLAIN
from web.sentences import said

_FIELDS: Final = {"grace_seconds": "grace", "settle_seconds": "settle", "hold_seconds": "hold"}


class _WriteOnly(forms.TextInput):
    """What was typed is not sent back: it may hold a password."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:  # noqa: ARG002
        return super().get_context(name, None, attrs)


class TermsForm(Hours):
    """Begins with `terms`, but for the address of its cache."""

    processes = forms.ChoiceField(
        label=_("Processes that serve its storage"),
        choices=[
            (SweepTerms.Processes.UNSAID.value, _("Not said: it is not swept while it runs")),
            (SweepTerms.Processes.ONE.value, _("One: one container, one replica")),
            (SweepTerms.Processes.SEVERAL.value, _("Several, as behind a load balancer")),
        ],
        required=False,
        widget=forms.RadioSelect(),
    )
    cache = forms.ChoiceField(
        label=_("Its cache of blobs"),
        choices=[
            (SweepTerms.Cache.UNSAID.value, _("Not said: a trial before each sweep tells whether it is safe")),
            (SweepTerms.Cache.NONE.value, _("None")),
            (SweepTerms.Cache.INMEMORY.value, _("In memory: cache, blobdescriptor: inmemory in its configuration")),
            (SweepTerms.Cache.REDIS.value, _("Redis: cache, blobdescriptor: redis in its configuration")),
        ],
        required=False,
        widget=forms.RadioSelect(),
    )
    redis_url = forms.CharField(
        label=_("Address of that Redis"),
        required=False,
        max_length=LONGEST_URL,
        help_text=_("redis://user:password@host:6379/0, as Berth reaches it. Stored encrypted, and never shown."),
        widget=_WriteOnly(attrs=PLAIN),
    )
    grace = Duration(
        label=_("Leave alone what is younger than"),
        help_text=_("What was written, or pushed to its repository, since then stays. As in 24 h; at least an hour."),
    )
    settle = Duration(
        label=_("Look again after"),
        help_text=_("Longer than a push takes from its last layer to its manifest: as in 60 s."),
    )
    hold = Duration(
        label=_("Hold what was moved aside for"),
        help_text=_("So long all of it can be put back; then its space is free. As in 24 h; 0 s deletes at once."),
    )
    when = when_field(label=_("When it is swept"))
    window = window_field(_("As in 22:00-06:00: a sweep begins in them, and goes on to its end. Empty: all day."))

    def __init__(self, data: Any = None, *, registry: Registry, terms: SweepTerms) -> None:
        super().__init__(data, initial=_shown(terms))
        self.has_address = bool(terms.redis_url)
        if self.has_address:
            self.fields["redis_url"].help_text = gettext("One is stored. Leave this empty to keep it.")
        if registry.embedded:  # of our own local registry we know it
            self.fields["processes"].disabled = self.fields["cache"].disabled = True

    def details(self) -> Details:
        """What was said. Of a form that is valid."""
        given = self.cleaned_data
        return Details(
            processes=given["processes"],
            cache=given["cache"],
            redis_url=given["redis_url"].strip() or None,
            grace_seconds=given["grace"],
            settle_seconds=given["settle"],
            hold_seconds=given["hold"],
            schedule=schedule_of(given),
        )

    def refuse(self, error: InvalidTerms) -> None:
        """Beside the field that it is about."""
        name = _FIELDS.get(error.field, error.field)
        self.add_error(name if name in self.fields else None, said(str(error)))


def _shown(terms: SweepTerms) -> dict[str, Any]:
    return {
        "processes": terms.processes,
        "cache": terms.cache,
        "grace": terms.grace_seconds,
        "settle": terms.settle_seconds,
        "hold": terms.hold_seconds,
        **shown(terms.schedule),
    }
