"""The form of a source: where it is, as whom we ask it, and how much of it we take."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext_lazy as _

from registries.addresses import WrongAddress, normal_address
from registries.limits import Limits
from registries.models import Registry
from registries.presets import ANY, Preset, preset_at
from registries.services import Details
from web.plain_text import PLAIN
from web.registry_forms import RegistryForm

_MEGABYTE: Final = 1_000_000


class _WriteOnly(forms.TextInput):
    """What was typed is not sent back: it may hold a password."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:  # noqa: ARG002
        return super().get_context(name, None, attrs)


class SourceForm(RegistryForm):
    """Add a source, which `preset` may prefill, or edit `registry`."""

    public_name = None  # type: ignore[assignment]  # nobody pulls through us from it
    proxy = forms.CharField(
        label=_("Proxy"),
        max_length=500,
        required=False,
        help_text=_("http://host:port or http://user:password@host:port, by which it is asked. Stored encrypted."),
        widget=_WriteOnly(attrs=PLAIN),
    )
    remove_proxy = forms.BooleanField(label=_("Forget the stored proxy"), required=False)
    at_once = forms.IntegerField(
        label=_("Requests at once"),
        required=False,
        help_text=_("Empty: no limit but our own."),
    )
    requests_per_second = forms.FloatField(
        label=_("Requests a second"),
        required=False,
        help_text=_("Of every kind, for tokens too. Empty: as many as it answers."),
    )
    bytes_per_second = forms.FloatField(
        label=_("Megabytes a second"),
        required=False,
        help_text=_("So that others have a line too. Empty: as fast as it goes."),
    )
    quota_floor = forms.IntegerField(
        label=_("Pulls that stay unspent"),
        required=False,
        help_text=_("Where it counts pulls: so many are left for others at our address, and rules wait."),
    )

    def __init__(self, data: Any = None, *, registry: Registry | None = None, preset: Preset | None = None) -> None:
        super().__init__(data, registry=registry)
        if registry is not None:
            self.initial = {**self.initial, **_asked(Limits.of(registry))}
        elif preset is not None:
            self.initial = {"url": preset.url, **_asked(preset.limits)}
        for name in ("requests_per_second", "bytes_per_second"):
            self.fields[name].widget.attrs["step"] = "any"
        if registry is None or not registry.proxy:
            del self.fields["remove_proxy"]
        else:
            self.fields["proxy"].help_text = _("One is stored. Leave this empty to keep it.")
        if registry is not None:
            self.fields["name"].help_text = _("What it is called here. Rules follow it to another name.")

    def details(self) -> Details:
        """What was said. An empty password or proxy keeps the stored one, the password at this address alone."""
        said, registry = self.cleaned_data, self.registry
        forget = said.get("remove_password", False)
        return Details(
            url=said["url"],
            name=said["name"],
            public_name=registry.public_name if registry else "",
            username="" if forget else said["username"],
            password="" if forget else said["password"] or None,
            ca=said["ca"].strip(),
            client_certificate=said["client_certificate"].strip(),
            client_key=said["client_key"].strip() or None,
            plain_http=said["plain_http"],
            role=Registry.Role.SOURCE,
            preset=self._preset(),
            proxy="" if said.get("remove_proxy") else said["proxy"].strip() or None,
            limits=Limits(
                at_once=said["at_once"],
                requests_per_second=said["requests_per_second"],
                bytes_per_second=None if (pace := said["bytes_per_second"]) is None else round(pace * _MEGABYTE),
                quota_floor=said["quota_floor"] or 0,
            ),
        )

    def refuse(self, field: str, sentence: str) -> None:
        """Beside the field where there is one."""
        self.add_error(field if field in self.fields else None, sentence)

    def _preset(self) -> str:
        """The well-known service at that address, whichever card somebody came from."""
        try:
            url = normal_address(self.cleaned_data["url"], plain_http=True)
        except WrongAddress:  # which is said when it is saved
            return ANY.key
        if self.registry is not None and self.registry.url == url:
            return self.registry.preset
        preset = preset_at(urlsplit(url).netloc)
        return preset.key if preset is not None and preset.url == url else ANY.key


def _asked(limits: Limits) -> dict[str, Any]:
    pace = limits.bytes_per_second
    return asdict(limits) | {"bytes_per_second": None if pace is None else pace / _MEGABYTE}
