"""The form that copies tags of a repository to another of our registries, or to another repository of the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy

from catalog.models import Repository
from oci.errors import InvalidName
from oci.names import RepositoryName, TagName, parse_repository, parse_tag
from registries.models import Registry
from sync.details import Moved
from sync.promoting import MOST
from web.plain_text import PLAIN

_MOVED: Final = (
    (Moved.BACK_UP.value, gettext_lazy("Move it, and keep what it pointed to under another tag")),
    (Moved.OVERWRITE.value, gettext_lazy("Move it")),
    (Moved.LEAVE.value, gettext_lazy("Leave it alone, and say so")),
)


class PromoteForm(forms.Form):
    """`tags` are those that are copied; the name of one alone may change on the way."""

    registry = forms.ModelChoiceField(
        Registry.objects.none(), to_field_name="name", empty_label=None, label=gettext_lazy("Registry")
    )
    repository = forms.CharField(
        max_length=255, label=gettext_lazy("Repository there"), widget=forms.TextInput(attrs=PLAIN)
    )
    new_tag = forms.CharField(
        max_length=128,
        required=False,
        label=gettext_lazy("Tag there"),
        help_text=gettext_lazy("Empty: the same."),
        widget=forms.TextInput(attrs=PLAIN),
    )
    moved = forms.ChoiceField(
        choices=_MOVED, widget=forms.RadioSelect, label=gettext_lazy("Where a tag points elsewhere there")
    )

    source: Repository
    tags: Sequence[str]

    @classmethod
    def of(cls, request: HttpRequest, source: Repository, tags: Sequence[str]) -> PromoteForm:
        """Unbound until the form itself was sent, and not only the list that leads to it."""
        registries = Registry.objects.active().by_name()
        elsewhere = registries.exclude(pk=source.registry_id).first() or source.registry
        first = {"registry": elsewhere, "repository": source.name, "new_tag": "", "moved": Moved.BACK_UP.value}
        form = cls(request.POST if request.POST.get("go") else None, initial=first)
        registry = form.fields["registry"]
        assert isinstance(registry, forms.ModelChoiceField)  # noqa: S101  it is one above
        registry.queryset = registries
        form.source, form.tags = source, tags
        if len(tags) == 1:
            form.fields["new_tag"].widget.attrs["placeholder"] = tags[0]
        else:
            del form.fields["new_tag"]
        return form

    @property
    def is_too_much(self) -> bool:
        return len(self.tags) > MOST

    def clean_repository(self) -> str:
        try:
            return parse_repository(self.cleaned_data["repository"].strip())
        except InvalidName as error:
            sentence = gettext("Small letters and digits, with . _ - between them, and / between parts.")
            raise ValidationError(sentence) from error

    def clean_new_tag(self) -> str:
        text = self.cleaned_data["new_tag"].strip()
        try:
            return parse_tag(text) if text else ""
        except InvalidName as error:
            raise ValidationError(gettext("Letters, digits, . _ and -; at most 128, and no . or - first.")) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        is_here = cleaned.get("registry") == self.source.registry and cleaned.get("repository") == self.source.name
        if is_here and cleaned.get("new_tag", "") in {"", *self.tags}:
            self.add_error("repository", gettext("That is where they are."))
        return cleaned

    @property
    def into(self) -> RepositoryName:
        return RepositoryName(self.cleaned_data["repository"])

    @property
    def names(self) -> Mapping[TagName, TagName]:
        """The tags, each with its name there."""
        return {TagName(tag): TagName(self.cleaned_data.get("new_tag") or tag) for tag in self.tags}
