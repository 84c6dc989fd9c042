"""Forms of policies of retention as browsers send them."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from web.cleanup.policy_form import PolicyForm


def said(form: PolicyForm, **more: Any) -> dict[str, Any]:
    """What a browser sends of a form that nobody touched, but for `more`."""
    values: dict[str, Any] = {name: form[name].value() for name in form.fields}
    for rule in form.rules:
        values |= {f"rule-{rule.number}-{name}": rule[name].value() for name in rule.fields}
    values["rule"] = [str(rule.number) for rule in form.rules]
    return {name: value for name, value in {**values, **more}.items() if value is not None and value is not False}


def typed(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A new one with `rules`, in which only the place is said, and `more`."""
    data = QueryDict(mutable=True)
    data.setlist("rule", [str(number) for number in range(len(rules))])
    of_rules = {f"rule-{number}-{name}": value for number, rule in enumerate(rules) for name, value in rule.items()}
    places = {"name": "app", "registry": "local", "repositories": "team/*", "rule": data.getlist("rule")}
    return {**said(PolicyForm()), "rule-0-line": "all", **places, **of_rules, **more}
