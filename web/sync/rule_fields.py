"""The fields of a rule, a group for each heading of its form."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from jobs.schedule import When
from oci.transfer.selection import Form
from registries.models import Registry
from sync.choosing import NewestBy
from sync.details import Moved
from sync.models.rules import NAME_LENGTH
from web.hours import Hours, when_field
from web.plain_text import PLAIN

COMMON: Final = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/386", "linux/ppc64le", "linux/s390x")
ATTACHED: Final = (
    ("signature", _("Signatures")),
    ("attestation", _("Attestations")),
    ("sbom", _("SBOMs")),
    ("other", _("Whatever else refers to it")),
)
_MOST_TEXT: Final = 60_000


class Lines(forms.CharField):
    """One thing a line; blank lines count for nothing, and what comes twice once."""

    def __init__(self, *, rows: int = 3, placeholder: str = "", **more: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "placeholder": placeholder, **PLAIN})
        super().__init__(max_length=_MOST_TEXT, widget=widget, **more)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return tuple(dict.fromkeys(line.strip() for line in str(text).splitlines() if line.strip()))

    def prepare_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else "\n".join(value)


class Places(forms.Form):
    """Where images come from, and where they stand."""

    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        help_text=_("What it is called here: small letters, digits and single hyphens."),
        widget=forms.TextInput(attrs=PLAIN),
    )
    source = forms.ModelChoiceField(
        Registry.objects.connected().by_name(), label=_("Registry"), empty_label=None, to_field_name="name"
    )
    repositories = Lines(
        label=_("Repositories"),
        placeholder="library/golang",
        help_text=_("One a line. A * stands for any letters, where the registry lets its repositories be listed."),
    )
    target = forms.ModelChoiceField(
        Registry.objects.active().by_name(), label=_("Registry"), empty_label=None, to_field_name="name"
    )
    into = forms.CharField(
        label=_("Repository there"),
        max_length=255,
        initial="{repository}",
        help_text=_(
            "{repository} is the whole name, {namespace} and {name} are its parts, {registry} is what the source is"
            " called here."
        ),
        widget=forms.TextInput(attrs=PLAIN),
    )


class Tags(forms.Form):
    """Which tags are taken, and what becomes of them."""

    allow = Lines(
        label=_("Take"),
        required=False,
        placeholder="1.*",
        help_text=_("A pattern a line, with * and ?, or an expression between slashes. None: every tag."),
    )
    deny = Lines(label=_("Leave out"), required=False, placeholder="*-windows*", help_text=_("These win."))
    ranges = Lines(
        label=_("Versions"),
        required=False,
        rows=2,
        placeholder=">=1.22 <2",
        help_text=_("Ranges as package managers write them: ^1.4, ~1.27.3, >=1.22 <2. One of them has to hold."),
    )
    pre_releases = forms.BooleanField(
        label=_("Pre-releases too"),
        required=False,
        help_text=_("Release candidates, betas and the like, where versions are looked at."),
    )
    newest = forms.IntegerField(
        label=_("Only the newest"),
        required=False,
        min_value=1,
        max_value=10_000,
        help_text=_("So many of those that fit. Empty: all of them."),
    )
    newest_by = forms.ChoiceField(
        label=_("Newest by"),
        choices=[
            (NewestBy.VERSION.value, _("version, each with all its flavours")),
            (NewestBy.TIME.value, _("the time at which the image was made")),
        ],
        initial=NewestBy.VERSION.value,
    )
    pins = Lines(
        label=_("Pins"),
        required=False,
        rows=2,
        placeholder="1.27@sha256:…",
        help_text=_("Digests that are copied whatever their tags point to: a tag, an @ and the digest."),
    )


class Images(forms.Form):
    """What is taken of an image."""

    platforms = forms.MultipleChoiceField(
        label=_("Only these platforms"),
        required=False,
        choices=[(name, name) for name in COMMON],
        widget=forms.CheckboxSelectMultiple(),
    )
    more_platforms = forms.CharField(
        label=_("Others"),
        required=False,
        max_length=500,
        help_text=_("With blanks between them, as in linux/riscv64 windows/amd64. None at all: every platform."),
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "linux/riscv64"}),
    )
    shape = forms.ChoiceField(
        label=_("What stands under the tag then"),
        choices=[
            (
                Form.REWRITTEN.value,
                _("An index of these alone. Its digest is another: signatures of the whole do not hold."),
            ),
            (Form.CHILD.value, _("The one image itself, with its own digest. For a single platform.")),
            (
                Form.SPARSE.value,
                _("The index as it is. Few registries take one whose images are not there."),
            ),
        ],
        initial=Form.REWRITTEN.value,
        widget=forms.RadioSelect(),
    )
    attached = forms.MultipleChoiceField(
        label=_("What is attached to an image"),
        required=False,
        choices=ATTACHED,
        initial=[name for name, _words in ATTACHED],
        widget=forms.CheckboxSelectMultiple(),
    )
    attestations = forms.BooleanField(
        label=_("Provenance inside an index"),
        required=False,
        initial=True,
        help_text=_("What BuildKit puts beside the platforms. Without it the index is rewritten."),
    )


class Changes(forms.Form):
    """What becomes of a tag that changes upstream."""

    moved = forms.ChoiceField(
        label=_("When a tag points elsewhere upstream"),
        choices=[
            (Moved.OVERWRITE.value, _("Move it here too. What it pointed to can be rolled back to.")),
            (Moved.BACK_UP.value, _("Move it here too, and keep what it pointed to under another tag.")),
            (Moved.LEAVE.value, _("Leave it alone here, and say so.")),
        ],
        initial=Moved.OVERWRITE.value,
        widget=forms.RadioSelect(),
    )
    backup = forms.CharField(
        label=_("The other tag"),
        max_length=128,
        initial="{tag}-before-{date}-{time}",
        help_text=_("{tag} is the old one, {date} and {time} are in UTC."),
        widget=forms.TextInput(attrs=PLAIN),
    )
    deletes_gone = forms.BooleanField(
        label=_("Delete here what is gone there"),
        required=False,
        help_text=_(
            "Only tags that this rule has copied, into the trash; and where many would go at once, Berth asks first."
        ),
    )


class Times(Hours):
    """When a rule runs, and how fast."""

    when = when_field(
        (When.EVENT.value, _("After a push at the source, where that is one of ours and tells of it")),
    )

    megabytes = forms.FloatField(
        label=_("At most, megabytes a second"),
        required=False,
        min_value=0.001,
        max_value=100_000,
        help_text=_("Empty: as fast as it goes, within the limits of both registries."),
    )
