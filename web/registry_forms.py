"""The form of a registry: its fields are all that a page can change, and secrets go in and never out."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from registries.environment import owners
from registries.models import NAME_LENGTH, Registry
from registries.services import Details


class WriteOnly(forms.Textarea):
    """What was typed is not sent back, as with a password."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:  # noqa: ARG002
        return super().get_context(name, None, attrs)


class RegistryForm(forms.Form):
    """Add a registry, or edit `registry`: what the options of `./run` own is shown and cannot be changed."""

    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("As Berth reaches it: https://registry.example.org, with a port or a path where it has one."),
        widget=forms.TextInput(attrs={"inputmode": "url", "spellcheck": "false", "autocapitalize": "none"}),
    )
    plain_http = forms.BooleanField(
        label=_("Allow http://"),
        required=False,
        help_text=_("Passwords and images then travel unencrypted. For a registry on this machine that is fine."),
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        required=False,
        help_text=_("What it is called here, in the addresses of pages. Empty: made from its host."),
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none"}),
    )
    public_name = forms.CharField(
        label=_("Name in pull commands"),
        max_length=255,
        required=False,
        help_text=_("As clients type it, where that is not the address above: registry.example.org"),
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none"}),
    )
    username = forms.CharField(
        label=_("User name"),
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        max_length=4096,
        # render_value is off: what was typed is not sent back either.
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    remove_password = forms.BooleanField(label=_("Forget the stored user name and password"), required=False)
    ca = forms.CharField(
        label=_("Certificates to trust"),
        required=False,
        max_length=200_000,
        help_text=_("PEM, for a registry whose certificate no public authority has signed."),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "none"}),
    )

    client_certificate = forms.CharField(
        label=_("Client certificate"),
        required=False,
        max_length=200_000,
        help_text=_("PEM, for a registry that lets in only whom it knows by one. It is shown to this address alone."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
    )
    client_key = forms.CharField(
        label=_("Its key"),
        required=False,
        max_length=200_000,
        help_text=_("PEM, without a pass phrase. It is stored encrypted and never shown."),
        widget=WriteOnly(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
    )

    def __init__(self, data: Any = None, *, registry: Registry | None = None) -> None:
        self.registry = registry
        self.owned = owners(registry) if registry else {}
        super().__init__(data, initial=_shown(registry) if registry else None)
        if registry is None or not registry.password or "password" in self.owned:
            del self.fields["remove_password"]
        elif "password" in self.fields:
            self.fields["password"].help_text = _("One is stored. Leave this empty to keep it.")
        if registry is not None:
            self.fields["name"].help_text = _(
                "What it is called here, and in the addresses of its pages: with another name, links to them change."
            )
            if registry.client_key:
                self.fields["client_key"].help_text = _("One is stored. Leave this empty to keep it.")
        for name, variable in self.owned.items():
            if name not in self.fields:  # the storage folder, which no form names
                continue
            self.fields[name].disabled = True
            self.fields[name].help_text = _("%(variable)s says that; change it there.") % {"variable": variable}

    def details(self) -> Details:
        """What was said. An empty password keeps the stored one, unless the address changed."""
        said = self.cleaned_data
        forget = said.get("remove_password", False)
        return Details(
            url=said["url"],
            name=said["name"],
            public_name=said["public_name"],
            username="" if forget else said["username"],
            password="" if forget else said["password"] or None,
            ca=said["ca"].strip(),
            client_certificate=said["client_certificate"].strip(),
            client_key=said["client_key"].strip() or None,
            plain_http=said["plain_http"],
        )


_SHOWN: Final = ("url", "plain_http", "name", "public_name", "username", "ca", "client_certificate")


def _shown(registry: Registry) -> dict[str, Any]:
    """What a form begins with: everything but the secrets."""
    return {name: getattr(registry, name) for name in _SHOWN}
