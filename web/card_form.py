"""The form of a repository's card: its owner and its README, and the version of the card that it began from."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.card import MOST_BYTES, Said, fits
from catalog.models import RepositoryCard
from catalog.models.cards import OWNER_LENGTH

_LARGEST = 2**31 - 1


class CardForm(forms.Form):
    owner = forms.CharField(
        label=_("Owner"),
        max_length=OWNER_LENGTH,
        required=False,
        help_text=_("A person or a team: whom to ask about it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    readme = forms.CharField(
        label=_("README"),
        required=False,
        strip=False,
        help_text=_(
            "Markdown: # heading, **bold**, `code`, - list, | table |, [words](https://example.org), and ``` before and"
            " after commands. HTML shows as text; an image becomes a link, since pages load nothing from elsewhere."
        ),
        widget=forms.Textarea(attrs={"rows": 22, "class": "tall", "autocomplete": "off"}),
    )
    version = forms.IntegerField(required=False, min_value=0, max_value=_LARGEST, widget=forms.HiddenInput)

    @classmethod
    def of(cls, card: RepositoryCard, said: Said | None = None) -> CardForm:
        """A form that begins from `card`, with what the person `said` already, where that was not written."""
        said = said or Said(card.owner, card.readme)
        return cls(initial={"owner": said.owner, "readme": said.readme, "version": card.version})

    def clean_readme(self) -> str:
        """With the line ends of Unix, as browsers do not send them."""
        text = "\n".join(self.cleaned_data["readme"].splitlines()).rstrip()
        if not fits(text):
            raise ValidationError(gettext("It is longer than %(n)s kB.") % {"n": MOST_BYTES // 1024})
        return text

    @property
    def said(self) -> Said:
        return Said(self.cleaned_data["owner"], self.cleaned_data["readme"])

    @property
    def began_from(self) -> int:
        return self.cleaned_data.get("version") or 0
