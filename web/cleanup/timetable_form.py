"""The form that says when a kind of cleanup is due."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from cleanup.models import Timetable
from cleanup.untagged.services import GRACE, MOST_GRACE
from jobs.schedule import InvalidSchedule, Schedule
from web.hours import Hours, schedule_of, shown, window_field

_WRONG: Final = {
    "cron": _("A cron line has five fields, as in 30 4 * * 1-5, and is due every five minutes at most."),
    "every": _("Every five minutes at most, and once a year at least."),
    "zone": _("This machine knows no such time zone."),
    "window": _("Hours are written as in 22:00-06:00."),
}


class TimetableForm(Hours):
    """Begins with `row`, or with nothing that is due by itself."""

    window = window_field(_("As in 22:00-06:00: what is due outside of them begins when they do. Empty: all day."))
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
        return schedule_of(self.cleaned_data)


def _shown(row: Timetable) -> dict[str, Any]:
    return {**shown(row.kept()), "grace_hours": GRACE if row.grace_hours is None else row.grace_hours}
