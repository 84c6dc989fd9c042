"""The form of a recipient of notices: where it is, and what it wants to be told."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from notices.kinds import Kind
from notices.models import NAME_LENGTH, Subscription
from notices.services import Details
from registries.models import Registry
from web.plain_text import PLAIN


class NoticeForm(forms.Form):
    """Add a recipient of one `way`, or change one: `subscription`."""

    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        help_text=_("What it is called here: the team's chat, or the deployer."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    target = forms.CharField(label=_("Address"), max_length=2_000, widget=forms.TextInput(attrs=PLAIN))
    wishes = forms.MultipleChoiceField(
        label=_("What it is told"),
        choices=Kind.choices,
        widget=forms.CheckboxSelectMultiple(),
        error_messages={"required": _("Choose what it is to be told.")},
    )
    registry = forms.ModelChoiceField(
        Registry.objects.active().by_name(),
        required=False,
        label=_("Registry"),
        empty_label=_("Every registry"),
        to_field_name="name",
    )
    repositories = forms.CharField(
        label=_("Repositories"),
        max_length=255,
        initial="*",
        help_text=_("* is all of them, team/* all that begin with team/."),
        widget=forms.TextInput(attrs=PLAIN),
    )
    ca = forms.CharField(
        label=_("Certificates to trust"),
        required=False,
        max_length=200_000,
        help_text=_("PEM, for an address whose certificate no public authority has signed."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
    )

    def __init__(self, data: Any = None, *, way: str, subscription: Subscription | None = None) -> None:
        self._way = way
        super().__init__(data, initial=_shown(subscription) if subscription else None)
        target = self.fields["target"]
        if way == Subscription.Way.EMAIL:
            del self.fields["ca"]
            target.label = _("Addresses")
            target.help_text = _("Up to ten, with blanks or commas between them. All get the same mail.")
        else:
            target.help_text = _("https://…, to which Berth sends each notice by POST.")
            if subscription is not None and subscription.target:
                target.required = False
                target.help_text = _("One at %(place)s is stored, and not shown. Leave this empty to keep it.") % {
                    "place": subscription.place
                }

    def details(self) -> Details:
        said = self.cleaned_data
        return Details(
            way=self._way,
            name=said["name"],
            target=said["target"],
            wishes=tuple(said["wishes"]),
            registry=said["registry"],
            repositories=said["repositories"],
            ca=said.get("ca", "").strip(),
        )


def _shown(subscription: Subscription) -> dict[str, Any]:
    """What the form begins with: of a webhook not its address, which may hold a secret."""
    return {
        "name": subscription.name,
        "target": "" if subscription.is_webhook else subscription.place,
        "wishes": subscription.wishes,
        "registry": subscription.registry.name if subscription.registry else None,
        "repositories": subscription.repositories,
        "ca": subscription.ca,
    }
