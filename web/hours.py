"""The fields of a form that says when something is due by itself, and the schedule that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from jobs.schedule import Schedule, When
from web.plain_text import PLAIN

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Promise

_HOUR: Final = 60  # minutes
_DAY: Final = 24 * _HOUR
_UNITS: Final = {"minutes": 1, "hours": _HOUR, "days": _DAY}
_RUNS: Final = _("When it runs")
_CHOICES: Final = (
    (When.BY_HAND.value, _("When somebody says so")),
    (When.EVERY.value, _("Every so often")),
    (When.CRON.value, _("By the clock, as a cron line says")),
)


def when_field(*more: tuple[str, Promise], label: Promise = _RUNS) -> forms.ChoiceField:
    """`more`: choices behind those that all have."""
    return forms.ChoiceField(
        label=label, choices=[*_CHOICES, *more], initial=When.BY_HAND.value, widget=forms.RadioSelect()
    )


def window_field(help_text: Promise) -> forms.CharField:
    return forms.CharField(
        label=_("Only within these hours"),
        required=False,
        max_length=20,
        help_text=help_text,
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "22:00-06:00"}),
    )


class Hours(forms.Form):
    """When something is due."""

    when = when_field()
    every = forms.IntegerField(label=_("Every"), required=False, min_value=1, max_value=600_000, initial=6)
    unit = forms.ChoiceField(
        label=_("Unit"),
        required=False,
        choices=[("minutes", _("minutes")), ("hours", _("hours")), ("days", _("days"))],
        initial="hours",
    )
    cron = forms.CharField(
        label=_("Cron line"),
        required=False,
        max_length=200,
        help_text=_("Minute, hour, day, month, weekday: 30 4 * * 1-5 is half past four on weekdays."),
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "30 4 * * *"}),
    )
    zone = forms.CharField(
        label=_("Time zone"),
        required=False,
        max_length=64,
        initial="UTC",
        help_text=_("Of the cron line and the hours: UTC, Asia/Seoul, Europe/Helsinki."),
        widget=forms.TextInput(attrs=PLAIN),
    )
    window = window_field(_("As in 22:00-06:00: what is not done by then goes on the next day. Empty: all day."))


def schedule_of(said: dict[str, Any], before: Schedule | None = None) -> Schedule:
    """Of what was said in `Hours`. What its `when` makes no use of is as it was `before`, where that was the same."""
    when = When(said["when"])
    kept = before if before and before.when is when else Schedule()
    return Schedule(
        when=when,
        cron=" ".join(said["cron"].split()) if when is When.CRON else kept.cron,
        zone=said["zone"] or "UTC",
        every=(said["every"] or 0) * _UNITS[said["unit"] or "minutes"] if when is When.EVERY else kept.every,
        window=said["window"].replace(" ", ""),
    )


def shown(due: Schedule) -> dict[str, Any]:
    """What `Hours` begins with."""
    unit = "days" if not due.every % _DAY else "hours" if not due.every % _HOUR else "minutes"
    repeats = {"every": due.every // _UNITS[unit], "unit": unit} if due.every else {"every": 6, "unit": "hours"}
    return {"when": due.when.value, "cron": due.cron, "zone": due.zone, "window": due.window, **repeats}
