"""The form that gives an image another tag: in its repository or in another, beside the old tag or instead of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy

from catalog.models import Presence, Tag
from oci.errors import InvalidName
from oci.names import parse_repository, parse_tag
from tagging.planning_copies import Kind, Target
from web.plain_text import PLAIN
from web.typed import typed

_KINDS: Final = (
    (Kind.RETAG.value, gettext_lazy("Another tag, beside those it has")),
    (Kind.RENAME.value, gettext_lazy("Rename the tag: the old one goes when the new one is there")),
)


@dataclass(frozen=True, slots=True)
class Said:
    target: Target
    kind: Kind
    attached: bool
    old_tag: str


class CopyForm(forms.Form):
    repository = forms.CharField(
        max_length=255,
        label=gettext_lazy("Repository"),
        help_text=gettext_lazy("Another one, as prod/app, makes it a copy there."),
        widget=forms.TextInput(attrs=PLAIN),
    )
    tag = forms.CharField(max_length=128, label=gettext_lazy("New tag"), widget=forms.TextInput(attrs=PLAIN))
    kind = forms.ChoiceField(choices=_KINDS, widget=forms.RadioSelect, label=gettext_lazy("What to do"))
    attached = forms.BooleanField(
        required=False,
        label=gettext_lazy("Take along what is attached: signatures, attestations, SBOMs"),
        help_text=gettext_lazy("Into another repository. In this one they are there already."),
    )
    why = forms.CharField(
        required=False,
        max_length=1_000,
        label=gettext_lazy("Why"),
        help_text=gettext_lazy("It is written into the record beside your name."),
    )

    place: Presence
    old_tag: str

    @classmethod
    def of(cls, request: HttpRequest, place: Presence) -> CopyForm:
        """The tag in the address is the one that a rename is about."""
        old_tag = typed(request, "tag")
        first = {"repository": place.repository.name, "tag": "", "kind": Kind.RETAG.value}
        form = cls(request.POST if request.method == "POST" else None, initial=first)
        form.place, form.old_tag = place, old_tag
        if not old_tag:
            form.fields["kind"].widget = forms.HiddenInput()
        return form

    def clean_repository(self) -> str:
        try:
            return parse_repository(self.cleaned_data["repository"].strip())
        except InvalidName as error:
            sentence = gettext("Small letters and digits, with . _ - between them, and / between parts.")
            raise ValidationError(sentence) from error

    def clean_tag(self) -> str:
        try:
            return parse_tag(self.cleaned_data["tag"].strip())
        except InvalidName as error:
            raise ValidationError(gettext("Letters, digits, . _ and -; at most 128, and no . or - first.")) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("tag") == self.old_tag and cleaned.get("repository") == self.place.repository.name:
            self.add_error("tag", gettext("That is the tag that it has."))
        return cleaned

    @property
    def said(self) -> Said:
        data = self.cleaned_data
        here = data["repository"] == self.place.repository.name
        is_rename = data["kind"] == Kind.RENAME and self.old_tag
        kind = Kind.RENAME if is_rename else Kind.RETAG if here else Kind.COPY
        target = Target(data["repository"], data["tag"])
        return Said(target, kind, data["attached"], self.old_tag if is_rename else "")

    @property
    def overwrites(self) -> bool:
        """The target points to something else, as far as the catalog knows."""
        target = self.said.target
        there = Tag.objects.live().filter(
            repository__registry=self.place.repository.registry_id, repository__name=target.repository, name=target.tag
        )
        return there.exclude(presence__manifest=self.place.manifest_id).exists()
