"""Which fields an entry of the audit says were changed, in the words of the forms of rules, policies and registries."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from sync.changes import NO, NOTHING, YES
from web.cleanup.policy_fields import PolicyFields
from web.source_forms import SourceForm
from web.sync.rule_form import RuleForm

# Those that a form calls otherwise than the audit does, or has no field for.
_OF_RULES: Final[dict[str, Promise]] = {
    "source": gettext_lazy("Source registry"),
    "target": gettext_lazy("Target registry"),
    "bytes_per_second": gettext_lazy("Bytes a second"),
    "is_on": gettext_lazy("Switched on"),
}
_CALLED: Final = {"form": "shape"}
_OF_REGISTRIES: Final[dict[str, Promise]] = {
    "public_name": gettext_lazy("Name in pull commands"),
    "realm": gettext_lazy("Token service"),
    "storage": gettext_lazy("Storage folder"),
    "role": gettext_lazy("What it is for"),
    "preset": gettext_lazy("Well-known service"),
    "sweep_terms": gettext_lazy("Terms of its sweeps"),
    "bytes_per_second": gettext_lazy("Bytes a second"),
}
_OF_POLICIES: Final[dict[str, Promise]] = {
    "position": gettext_lazy("Place in the order"),
    "rules": gettext_lazy("Rules"),
    "schedule": gettext_lazy("When it runs"),
}
_VALUES: Final = {YES: gettext_lazy("yes"), NO: gettext_lazy("no"), NOTHING: gettext_lazy("nothing")}


def fields_of_rule(detail: str) -> str:
    return ", ".join(_in_words(part) for part in detail.split(", ")) if detail else ""


def fields_of_policy(detail: str) -> str:
    return ", ".join(_of_policy(part) for part in detail.split(", ")) if detail else ""


def fields_of_registry(detail: str) -> str:
    """Their names alone: no value of a registry is in the audit."""
    return ", ".join(_of_registry(name) for name in detail.split(", ")) if detail else ""


def _in_words(part: str) -> str:
    way, colon, values = part.partition(": ")
    name = way.rpartition(".")[2]
    field = RuleForm.base_fields.get(_CALLED.get(name, name))
    label = str(_OF_RULES.get(name) or (field.label if field else None) or name)
    told = " → ".join(str(_VALUES.get(value, value)) for value in values.split(" → "))
    return f"{label}: {told}" if colon else label


def _of_policy(part: str) -> str:
    name, colon, values = part.partition(": ")
    field = PolicyFields.base_fields.get(name)
    label = str(_OF_POLICIES.get(name) or (field.label if field else None) or name)
    told = " → ".join(str(_VALUES.get(value, value)) for value in values.split(" → "))
    return f"{label}: {told}" if colon else label


def _of_registry(name: str) -> str:
    field = SourceForm.base_fields.get(name)
    return str(_OF_REGISTRIES.get(name) or (field.label if field else None) or name)
