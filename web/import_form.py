"""The form that takes a file of another tool: read and looked at whole before anything of it is believed."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext, gettext_lazy

from jobs.schedule import InvalidSchedule, Schedule
from registries.models import Registry
from sync.importing.document import LARGEST, NotImported
from sync.importing.regsync import read_regsync
from sync.importing.sentences import not_imported
from sync.importing.skopeo import read_skopeo
from sync.importing.taking_over import NotTakenOver, TakingOver, look_at
from web.plain_text import PLAIN

_TOOLS: Final = (("regsync", "regsync"), ("skopeo", "skopeo sync"))


class ImportForm(forms.Form):
    """Where it is valid, `coming` is what would be added."""

    tool = forms.ChoiceField(
        choices=_TOOLS, initial="regsync", widget=forms.RadioSelect, label=gettext_lazy("Which tool it is for")
    )
    file = forms.FileField(required=False, label=gettext_lazy("Its file"), allow_empty_file=True)
    text = forms.CharField(
        required=False,
        strip=False,
        max_length=LARGEST,
        label=gettext_lazy("Or what stands in it"),
        help_text=gettext_lazy("YAML of a mebibyte at most. Berth keeps nothing of it but what you say yes to."),
        widget=forms.Textarea(attrs={**PLAIN, "rows": 12}),
    )
    target = forms.ChoiceField(required=False, label=gettext_lazy("Into which of ours"))
    into = forms.CharField(
        required=False,
        max_length=255,
        initial="{name}",
        label=gettext_lazy("Name of the repositories there"),
        help_text=gettext_lazy("For skopeo: with {repository}, {namespace} and {name} of that of the source."),
        widget=forms.TextInput(attrs=PLAIN),
    )
    zone = forms.CharField(
        required=False,
        max_length=64,
        initial="UTC",
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("For regsync: of the machine where it runs, which its schedules mean. Europe/Berlin"),
        widget=forms.TextInput(attrs=PLAIN),
    )
    with_passwords = forms.BooleanField(
        required=False, label=gettext_lazy("Give the new sources the user names and passwords of the file")
    )

    coming: TakingOver

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._catalogs = {registry.name: registry for registry in Registry.objects.active().order_by("name")}
        target = self.fields["target"]
        target.choices = [  # type: ignore[attr-defined]  # it is a ChoiceField
            ("", gettext("as the file says")),
            *((name, name) for name in self._catalogs),
        ]
        target.help_text = gettext("For what the file does not say, or says of a registry that is none of ours.")

    def clean_zone(self) -> str:
        zone = self.cleaned_data["zone"] or "UTC"
        try:
            Schedule(zone=zone).check()
        except InvalidSchedule:
            raise forms.ValidationError(gettext("This machine knows no such time zone.")) from None
        return str(zone)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not self.errors:
            said["text"] = self._text(said.get("file"), said["text"])
        if not self.errors:
            try:
                self.coming = look_at(self._read(said), self._catalogs.get(said["target"]))
            except NotImported as error:
                self.add_error("text", not_imported(error))
            except NotTakenOver as error:
                self.add_error("text", str(error))
        return said

    def _text(self, file: UploadedFile[Any] | None, text: str) -> str:
        """Of the file where there is one."""
        if file is None:
            if not text.strip():
                self.add_error("text", gettext("Choose a file, or paste what stands in it."))
            return text
        if (file.size or 0) > LARGEST:
            self.add_error("file", gettext("The file is larger than a mebibyte."))
            return ""
        try:
            return str(file.read().decode())
        except UnicodeDecodeError:
            self.add_error("file", gettext("The file is no text."))
            return ""

    def _read(self, said: dict[str, Any]) -> Any:
        """Raises NotImported and NotTakenOver."""
        if said["tool"] == "regsync":
            return read_regsync(said["text"], said["zone"])
        if not said["target"]:
            raise NotTakenOver(gettext("skopeo's file does not say where to: choose one of ours below."))
        return read_skopeo(said["text"], target="", into=said["into"] or "{name}")
