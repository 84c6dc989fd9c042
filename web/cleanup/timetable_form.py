"""The form that says when a kind of cleanup is due."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from cleanup.models import Timetable
from cleanup.untagged.services import GRACE, MOST_GRACE
from jobs.schedule import InvalidSchedule, Schedule, When
from web.plain_text import PLAIN

_HOUR: Final = 60  # minutes
_DAY: Final = 24 * _HOUR
_UNITS: Final = {"minutes": 1, "hours": _HOUR, "days": _DAY}
_WRONG: Final = {
    "cron": _("A cron line has five fields, as in 30 4 * * 1-5, and is due every five minutes at most."),
    "every": _("Every five minutes at most, and once a year at least."),
    "zone": _("This machine knows no such time zone."),
    "window": _("Hours are written as in 22:00-06:00."),
}


class TimetableForm(forms.Form):
    """Begins with `row`, or with nothing that is due by itself."""

    when = forms.ChoiceField(
        label=_("When it runs"),
        choices=[
            (When.BY_HAND.value, _("When somebody says so")),
            (When.EVERY.value, _("Every so often")),
            (When.CRON.value, _("By the clock, as a cron line says")),
        ],
        initial=When.BY_HAND.value,
        widget=forms.RadioSelect(),
    )
    every = forms.IntegerField(label=_("Every"), required=False, min_value=1, max_value=600_000, initial=1)
    unit = forms.ChoiceField(
        label=_("Unit"),
        required=False,
        choices=[("minutes", _("minutes")), ("hours", _("hours")), ("days", _("days"))],
        initial="days",
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
    window = forms.CharField(
        label=_("Only within these hours"),
        required=False,
        max_length=20,
        help_text=_("As in 22:00-06:00: what is due outside of them begins when they do. Empty: all day."),
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "22:00-06:00"}),
    )
    grace_hours = forms.IntegerField(
        label=_("Grace time, hours"),
        required=False,
        min_value=0,
        max_value=MOST_GRACE,
        initial=GRACE,
        help_text=_("What was pushed, or lost its last tag, within this time stays."),
    )

    def __init__(self, data: Any = None, *, work: Timetable.Work, row: Timetable | None = None) -> None:
        super().__init__(data, initial=_shown(row) if row else None)
        if work != Timetable.Work.UNTAGGED:
            del self.fields["grace_hours"]

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.schedule().check()
            except InvalidSchedule as error:
                self.add_error(error.field if error.field in self.fields else None, str(_WRONG.get(error.field, error)))
        return said

    def schedule(self) -> Schedule:
        """What was said, of a form in which nothing is wrong by itself."""
        said, when = self.cleaned_data, When(self.cleaned_data["when"])
        return Schedule(
            when=when,
            cron=" ".join(said["cron"].split()) if when is When.CRON else "",
            zone=said["zone"] or "UTC",
            every=(said["every"] or 0) * _UNITS[said["unit"] or "days"] if when is When.EVERY else 0,
            window=said["window"].replace(" ", ""),
        )


def _shown(row: Timetable) -> dict[str, Any]:
    due = row.kept()
    unit = "days" if not due.every % _DAY else "hours" if not due.every % _HOUR else "minutes"
    return {
        "when": due.when.value,
        "every": due.every // _UNITS[unit] if due.every else 1,
        "unit": unit,
        "cron": due.cron,
        "zone": due.zone,
        "window": due.window,
        "grace_hours": GRACE if row.grace_hours is None else row.grace_hours,
    }
