"""The form of a policy: all that a person may say of it, with as many rules as it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from cleanup.models import Policy
from cleanup.retention.patterns import is_pattern
from cleanup.retention.terms import MOST_RULES, InvalidTerms, Line, Rule, Terms
from web.cleanup.policy_fields import PolicyFields, RuleFields
from web.cleanup.presets import Preset
from web.hours import schedule_of, shown
from web.typed import keys

_OF_RULE: Final = re.compile(r"rules\[([0-9]+)\](?:\.(\w+))?", re.ASCII)
_LONGEST: Final = 100  # of a pattern that is said to be none


class RuleForm(RuleFields):
    """One rule; `number` tells it from the others of its form."""

    def __init__(self, number: int, data: Any = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, prefix=f"rule-{number}")
        self.number = number

    def clean_tags(self) -> tuple[str, ...]:
        return _patterns(self.cleaned_data["tags"])

    def document(self) -> dict[str, Any]:
        said = self.cleaned_data
        numbers = ("newest", "newest_versions", "younger_than", "pulled_within")
        return {
            "tags": list(said["tags"]),
            "line": said["line"] or Line.ALL.value,
            **{name: said[name] for name in numbers if said[name] is not None},
        }

    @property
    def keeps_none(self) -> bool:
        """It says which tags, and no condition by which one of them would stay."""
        names = ("newest", "newest_versions", "younger_than", "pulled_within")
        return bool(self["tags"].value()) and not any(self[name].value() for name in names)


class PolicyForm(PolicyFields):
    """Add a policy, or change `policy`, with which it begins; `preset` is what a new one begins with."""

    def __init__(
        self, data: QueryDict | None = None, *, policy: Policy | None = None, preset: Preset | None = None
    ) -> None:
        """`policy` with its registry. Raises InvalidTerms."""
        terms = policy.read() if policy else None
        initial = _shown(policy, terms) if policy and terms else _shown_preset(preset) if preset else None
        super().__init__(data, initial=initial)
        if policy and policy.registry.retired_at is not None:
            self._ask_for_another()
        if data is not None:
            self.rules = [RuleForm(number, data) for number in _numbers(data)]
        elif policy is None and preset is None:
            self.rules = [RuleForm(0)]
        else:
            rules = terms.rules if terms else preset.rules if preset else ()
            self.rules = [RuleForm(number, initial=_shown_rule(rule)) for number, rule in enumerate(rules)]

    def is_valid(self) -> bool:
        """All parts are looked at, so that each says what is wrong with it."""
        return all([super().is_valid(), *[rule.is_valid() for rule in self.rules]])

    def clean_repositories(self) -> tuple[str, ...]:
        return _patterns(self.cleaned_data["repositories"])

    def with_one_more(self) -> PolicyForm:
        """The same as it was typed, with an empty rule at the end; nothing is said to be wrong yet."""
        numbers = [rule.number for rule in self.rules]
        more = [max(numbers, default=-1) + 1] if len(numbers) < MOST_RULES else []
        return self._again([*numbers, *more])

    def without(self, number: int) -> PolicyForm:
        return self._again([rule.number for rule in self.rules if rule.number != number])

    def document(self) -> dict[str, Any]:
        """What `policies.save` takes. Of a form that is valid."""
        said = self.cleaned_data
        return {
            "repositories": list(said["repositories"]),
            "rules": [rule.document() for rule in self.rules],
            "aliases": said["aliases"],
            "may_empty": said["may_empty"],
            "uses_created": said["uses_created"],
            "schedule": asdict(schedule_of(self.cleaned_data)),
        }

    def add_terms_error(self, error: InvalidTerms) -> None:
        """What `cleanup.retention.policies` has against it, at the field that says so."""
        if (of_rule := _OF_RULE.match(error.field)) and int(of_rule[1]) < len(self.rules):
            rule, name = self.rules[int(of_rule[1])], of_rule[2] or ""
            rule.add_error(name if name in rule.fields else None, error.sentence)
            return
        name = error.field.rpartition(".")[2].partition("[")[0]
        self.add_error(name if name in self.fields else None, error.sentence)

    def _again(self, numbers: Iterable[int]) -> PolicyForm:
        """Not bound, and so without a word on what is wrong."""
        typed = self.data
        again = PolicyForm()
        again.initial = {name: typed.get(name, "") for name in self.fields}
        again.rules = [
            RuleForm(number, initial={name: typed.get(f"rule-{number}-{name}", "") for name in RuleFields.base_fields})
            for number in numbers
        ]
        return again

    def _ask_for_another(self) -> None:
        """Where its registry was removed a browser would choose the first that there is, and nobody would notice."""
        registries = self.fields["registry"]
        assert isinstance(registries, forms.ModelChoiceField)  # noqa: S101  it is one
        registries.empty_label = _("Choose one")
        registries.widget.choices = registries.choices


def _numbers(data: QueryDict) -> list[int]:
    return list(dict.fromkeys(keys(data.getlist("rule"))))[:MOST_RULES]


def _patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for text in patterns:
        if not is_pattern(text):
            raise forms.ValidationError(_("%(text)s is no pattern."), params={"text": text[:_LONGEST]})
    return patterns


def _shown(policy: Policy, terms: Terms) -> dict[str, Any]:
    return {
        "name": policy.name,
        "registry": policy.registry.name,
        "is_on": policy.is_on,
        "repositories": terms.repositories,
        "aliases": terms.aliases.value,
        "may_empty": terms.may_empty,
        "uses_created": terms.uses_created,
        **shown(terms.schedule),
    }


def _shown_rule(rule: Rule) -> dict[str, Any]:
    return {
        "tags": rule.tags,
        "newest": rule.newest,
        "newest_versions": rule.newest_versions,
        "line": rule.line.value,
        "younger_than": rule.younger_than,
        "pulled_within": rule.pulled_within,
    }


def _shown_preset(preset: Preset) -> dict[str, Any]:
    return {"name": preset.key, "repositories": ("*",)}
