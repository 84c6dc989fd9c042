"""The form of a rule that protects tags."""

from __future__ import annotations

from typing import Final

from django import forms
from django.utils.translation import gettext_lazy

from registries.models import Registry
from registries.patterns import PATTERN
from tagging.models import ProtectionRule
from web.plain_text import PLAIN

_WRONG: Final = {"invalid": gettext_lazy("Letters, digits, . _ / - and the wildcards * and ?.")}


def _pattern(label: object, help_text: object, **more: object) -> forms.RegexField:
    return forms.RegexField(
        rf"^{PATTERN}\Z",
        label=label,  # type: ignore[arg-type]
        help_text=help_text,  # type: ignore[arg-type]
        max_length=255,
        error_messages=_WRONG,
        widget=forms.TextInput(attrs=PLAIN),
        **more,  # type: ignore[arg-type]
    )


class ProtectionForm(forms.Form):
    registry = forms.ModelChoiceField(
        Registry.objects.active().by_name(),
        required=False,
        label=gettext_lazy("Registry"),
        empty_label=gettext_lazy("Every registry"),
        to_field_name="name",
    )
    repositories = _pattern(
        gettext_lazy("Repositories"),
        gettext_lazy("* is all of them, team/* all that begin with team/."),
        initial="*",
    )
    tags = _pattern(
        gettext_lazy("Tags"),
        gettext_lazy("A tag or a pattern: latest, v*, 1.? (* stands for any characters, ? for one)"),
    )
    why = forms.CharField(required=False, max_length=255, label=gettext_lazy("Why"))

    @property
    def patterns(self) -> tuple[Registry | None, str, str]:
        data = self.cleaned_data
        return data["registry"], data["repositories"], data["tags"]

    @property
    def rule(self) -> ProtectionRule:
        registry, repositories, tags = self.patterns
        return ProtectionRule(registry=registry, repositories=repositories, tags=tags, why=self.cleaned_data["why"])
