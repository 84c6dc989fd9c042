from __future__ import annotations

import json
import sys
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic import ValidationError

from sync import rules
from sync.in_words import rules_table
from sync.management.naming import reading, rule_called
from sync.models import Rule
from sync.rule_documents import RuleDocument, place_of, rule_document
from sync.rules import RuleNotSaved

_VERBS: Final = {
    "show": "one of them as JSON, which add takes back",
    "remove": "forget one; what it has copied stays",
    "on": "heed its schedule",
    "off": "heed its schedule no longer",
}


class Command(BaseCommand):
    help = "The rules of image sync: list, show, add, remove, on, off. To carry one out: sync."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        verbs.add_parser("list", help="all of them, with what they copy, and when")
        verbs.add_parser("add", help="add the one that is on the standard input, as JSON: see docs/sync.md")
        for word, what in _VERBS.items():
            verbs.add_parser(word, help=what).add_argument("rule")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['verb']}")(options)

    def _list(self, _options: dict[str, Any]) -> None:
        lines = rules_table(Rule.objects.select_related("source", "target").by_name())
        for line in lines or ["No rule yet: ./run manage syncrule add < rule.json"]:
            self.stdout.write(line)

    def _show(self, options: dict[str, Any]) -> None:
        with reading(rule_called(options["rule"])) as rule:
            self.stdout.write(json.dumps(rule_document(rule.details), indent=2))

    def _add(self, _options: dict[str, Any]) -> None:
        try:
            rule = rules.save(RuleDocument.model_validate_json(sys.stdin.read()).details(), None)
        except ValidationError as error:
            wrong = (f"{'.'.join(map(str, said['loc'])) or 'rule'}: {said['msg']}" for said in error.errors())
            raise CommandError("; ".join(wrong), returncode=2) from error
        except RuleNotSaved as error:
            raise CommandError(f"{place_of(error.field)}: {error}", returncode=2) from error
        self.stdout.write(f"{rule.name} is added: ./run manage sync {rule.name} --plan says what it would do.")

    def _remove(self, options: dict[str, Any]) -> None:
        rule = rule_called(options["rule"])
        rules.remove(rule, None)
        self.stdout.write(f"{rule.name} is forgotten; what it has copied stays.")

    def _on(self, options: dict[str, Any]) -> None:
        self._switch(options, on=True)

    def _off(self, options: dict[str, Any]) -> None:
        self._switch(options, on=False)

    def _switch(self, options: dict[str, Any], *, on: bool) -> None:
        with reading(rule_called(options["rule"])) as rule:
            rules.switch(rule, None, on=on)
        self.stdout.write(rules_table([rule])[-1])
