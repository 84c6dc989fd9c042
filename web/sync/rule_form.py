"""The form of a rule: all that a person may say of it, each part under its own heading."""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from oci.media_types import Kind
from oci.transfer.selection import Form, Selection
from sync.choosing import Choice, InvalidPattern, NewestBy
from sync.details import Details, Moved
from sync.models import Rule
from sync.ranges import InvalidRange
from web.hours import schedule_of, shown
from web.sync.rule_fields import ATTACHED, COMMON, Changes, Images, Places, Tags, Times
from web.sync.words import OTHERS

_LONGEST: Final = 255  # of a pattern that is said to be none
_MEGABYTE: Final = 1_000_000
_KINDS: Final[dict[str, frozenset[Kind]]] = {
    "signature": frozenset({"signature"}),
    "attestation": frozenset({"attestation"}),
    "sbom": frozenset({"sbom"}),
    "other": frozenset({"artifact", "chart", "image"}),
}
# Where it says something under another name than `Details` does: a field "form" would hide what browsers call so.
_FIELDS: Final = {"choice": "allow", "form": "shape", "platforms": "more_platforms", "bytes_per_second": "megabytes"}


class RuleForm(Places, Tags, Images, Changes, Times):
    """Add a rule, or change `rule`, with which it begins."""

    def __init__(self, data: Any = None, *, rule: Rule | None = None) -> None:
        """`rule` with its registries. Raises InvalidTerms."""
        self._before = rule.details if rule else None
        super().__init__(data, initial=_shown(self._before) if self._before else None)
        if self._before:
            self._name_some_of_the_rest(self._before)
        for name, registry in (("source", rule.source), ("target", rule.target)) if rule else ():
            if registry.retired_at is not None:
                self._ask_for_another(name)

    def clean_allow(self) -> tuple[str, ...]:
        return self._patterns("allow")

    def clean_deny(self) -> tuple[str, ...]:
        return self._patterns("deny")

    def clean_ranges(self) -> tuple[str, ...]:
        ranges: tuple[str, ...] = self.cleaned_data["ranges"]
        try:
            Choice(ranges=ranges).check()
        except InvalidRange as error:
            raise forms.ValidationError(
                _("%(text)s is no range of versions."), params={"text": error.text[:_LONGEST]}
            ) from error
        return ranges

    @property
    def choice(self) -> Choice | None:
        """Which tags are meant, where that part of the form says something; the rest of it may be wrong."""
        said = getattr(self, "cleaned_data", {})
        if not {"allow", "deny", "ranges", "newest_by"} <= said.keys() or "newest" in self.errors:
            return None
        return Choice(
            allow=said["allow"],
            deny=said["deny"],
            ranges=said["ranges"],
            pre_releases=said.get("pre_releases", False),
            newest=said.get("newest"),
            newest_by=NewestBy(said["newest_by"]),
        )

    def details(self) -> Details:
        """What was said. Of a form that is valid."""
        said, choice = self.cleaned_data, self.choice
        assert choice is not None  # noqa: S101  the form is valid
        kinds = frozenset(kind for name in said["attached"] for kind in self._kinds(name))
        return Details(
            name=said["name"],
            source=said["source"].name,
            repositories=said["repositories"],
            target=said["target"].name,
            into=said["into"],
            choice=choice,
            pins=said["pins"],
            selection=Selection(self._platforms(), form=Form(said["shape"]), attestations=said["attestations"]),
            attached=kinds,
            moved=Moved(said["moved"]),
            backup=said["backup"],
            deletes_gone=said["deletes_gone"],
            schedule=schedule_of(self.cleaned_data, self._before.schedule if self._before else None),
            bytes_per_second=None if said["megabytes"] is None else round(said["megabytes"] * _MEGABYTE),
            is_on=self._before.is_on if self._before else True,
        )

    def add_rule_error(self, field: str, sentence: str) -> None:
        """What `sync.rules` has against it, at the field that says so."""
        name = _FIELDS.get(field, field)
        self.add_error(name if name in self.fields else None, sentence)

    def _patterns(self, name: str) -> tuple[str, ...]:
        patterns: tuple[str, ...] = self.cleaned_data[name]
        try:
            Choice(allow=patterns).check()
        except InvalidPattern as error:
            raise forms.ValidationError(
                _("%(text)s is no pattern for tags."), params={"text": error.text[:_LONGEST]}
            ) from error
        return patterns

    def _name_some_of_the_rest(self, before: Details) -> None:
        """A box stands for several kinds, of which the rule may take some."""
        if kinds := ", ".join(str(OTHERS[kind]) for kind in _some_of_the_rest(before)):
            label = _("Of whatever else refers to it: %(kinds)s") % {"kinds": kinds}
            boxes = self.fields["attached"]
            assert isinstance(boxes, forms.MultipleChoiceField)  # noqa: S101  it is one
            boxes.choices = [(name, label if name == "other" else words) for name, words in ATTACHED]

    def _ask_for_another(self, name: str) -> None:
        """Where a registry was removed a browser would choose the first that there is, and nobody would notice."""
        registries = self.fields[name]
        assert isinstance(registries, forms.ModelChoiceField)  # noqa: S101  it is one
        registries.empty_label = _("Choose one")
        registries.widget.choices = registries.choices

    def _kinds(self, box: str) -> frozenset[Kind]:
        some = _some_of_the_rest(self._before) if self._before and box == "other" else ()
        return frozenset(some) or _KINDS[box]

    def _platforms(self) -> tuple[str, ...]:
        """In the order in which the rule has them, where they are the same."""
        said = self.cleaned_data
        names = dict.fromkeys([*said["platforms"], *re.split(r"[\s,]+", said["more_platforms"])])
        platforms = tuple(filter(None, names))
        before = self._before.selection.platforms if self._before else ()
        return before if set(before) == set(platforms) else platforms


def _some_of_the_rest(details: Details) -> tuple[Kind, ...]:
    """The kinds that a rule takes of those that have one box together; none where it takes all or nothing of them."""
    some = _KINDS["other"] & details.attached
    return () if some == _KINDS["other"] else tuple(sorted(some))


def _shown(details: Details) -> dict[str, Any]:
    choice, selection = details.choice, details.selection
    return {
        "name": details.name,
        "source": details.source,
        "repositories": details.repositories,
        "target": details.target,
        "into": details.into,
        "allow": choice.allow,
        "deny": choice.deny,
        "ranges": choice.ranges,
        "pre_releases": choice.pre_releases,
        "newest": choice.newest,
        "newest_by": choice.newest_by.value,
        "pins": details.pins,
        "platforms": [name for name in selection.platforms if name in COMMON],
        "more_platforms": " ".join(name for name in selection.platforms if name not in COMMON),
        "shape": selection.form.value,
        "attached": [name for name, kinds in _KINDS.items() if kinds & details.attached],
        "attestations": selection.attestations,
        "moved": details.moved.value,
        "backup": details.backup,
        "deletes_gone": details.deletes_gone,
        **shown(details.schedule),
        "megabytes": None if details.bytes_per_second is None else details.bytes_per_second / _MEGABYTE,
    }
