"""The fields of a policy of retention, and those of each of its rules."""

from __future__ import annotations

from typing import Final

from django import forms
from django.utils.translation import gettext_lazy as _

from cleanup.models.policies import NAME_LENGTH
from cleanup.retention.terms import MOST_DAYS, MOST_KEPT, Aliases, Line
from registries.models import Registry
from web.hours import Hours
from web.plain_text import PLAIN
from web.sync.rule_fields import Lines

LINES: Final = (
    (Line.ALL.value, _("all versions")),
    (Line.MAJOR.value, _("each major version: of 1, of 2")),
    (Line.MINOR.value, _("each minor version: of 1.4, of 1.5")),
)


class RuleFields(forms.Form):
    """Which tags a rule speaks of, and what it keeps of them; `prefix` is its place."""

    use_required_attribute = False

    tags = Lines(
        label=_("Tags"),
        rows=2,
        placeholder="1.*",
        help_text=_("A pattern a line, with * and ?. One with ! in front takes out again what it fits."),
    )
    newest = forms.IntegerField(
        label=_("The newest, by push"),
        required=False,
        min_value=1,
        max_value=MOST_KEPT,
        help_text=_("So many of them stay."),
    )
    newest_versions = forms.IntegerField(
        label=_("The highest versions"), required=False, min_value=1, max_value=MOST_KEPT, help_text=_("So many stay.")
    )
    line = forms.ChoiceField(label=_("So many of"), required=False, choices=LINES, initial=Line.ALL.value)
    younger_than = forms.IntegerField(label=_("Pushed within, days"), required=False, min_value=1, max_value=MOST_DAYS)
    pulled_within = forms.IntegerField(
        label=_("Pulled within, days"),
        required=False,
        min_value=1,
        max_value=MOST_DAYS,
        help_text=_("Only events tell of pulls: until they have for as long, all of these tags stay."),
    )


class PolicyFields(Hours):
    """Where a policy decides, by which general terms, and when it is due."""

    use_required_attribute = False

    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        help_text=_("What it is called here: small letters, digits and single hyphens."),
        widget=forms.TextInput(attrs=PLAIN),
    )
    registry = forms.ModelChoiceField(
        Registry.objects.active().by_name(), label=_("Registry"), empty_label=None, to_field_name="name"
    )
    repositories = Lines(
        label=_("Repositories"),
        placeholder="team/*",
        help_text=_("A pattern a line; * crosses slashes, and ! in front takes out again: team/* and !team/prod."),
    )
    aliases = forms.ChoiceField(
        label=_("Other tags of an image that stays"),
        choices=[
            (Aliases.KEPT.value, _("They stay too, and numbers count images.")),
            (Aliases.JUDGED.value, _("Each is judged for itself, and numbers count tags.")),
        ],
        initial=Aliases.KEPT.value,
        widget=forms.RadioSelect(),
    )
    may_empty = forms.BooleanField(
        label=_("A repository may lose its last image"),
        required=False,
        help_text=_("Otherwise the newest stays, whatever the rules say."),
    )
    uses_created = forms.BooleanField(
        label=_("Believe images when they were made"),
        required=False,
        help_text=_(
            "Where nobody knows when a tag was pushed. Builds that set that date lie; without this such tags stay."
        ),
    )
    is_on = forms.BooleanField(
        label=_("Switched on"),
        required=False,
        initial=True,
        help_text=_(
            "While it is off it decides nothing, and the next policy that fits does. It can be planned all the same."
        ),
    )
    trial_repository = forms.CharField(
        label=_("Repository"),
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "team/app"}),
    )
    trial_tag = forms.CharField(
        label=_("Tag"),
        max_length=128,
        required=False,
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "1.2.3"}),
    )
