from __future__ import annotations

import json
import sys
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cleanup.management.naming import registry_called
from cleanup.models import Policy
from cleanup.retention import policies
from cleanup.retention.terms import InvalidTerms
from registries.models import Registry

_LARGEST: Final = 2**20  # characters of terms


class Command(BaseCommand):
    help = "Set up, show, switch, order and remove the policies of retention."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        save = verbs.add_parser("save", help="set one up, or change it, by the JSON on the standard input")
        save.add_argument("registry", help="its name")
        save.add_argument("policy", help="small letters, digits and single hyphens")
        for verb, what in (("show", "its terms, as JSON"), ("on", ""), ("off", ""), ("remove", "its runs stay")):
            verbs.add_parser(verb, help=what).add_argument("policy", help="its name")
        order = verbs.add_parser("order", help="which is asked first; those not named come behind, as they stood")
        order.add_argument("registry", help="its name")
        order.add_argument("policies", nargs="+", help="their names")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._do(options)
        except InvalidTerms as error:
            raise CommandError(f"{error.field}: {error.sentence}", returncode=2) from error

    def _do(self, options: dict[str, Any]) -> None:
        match options["verb"]:
            case "save":
                row = Policy.objects.filter(name=options["policy"]).first()
                is_on = row is None or row.is_on
                registry = registry_called(options["registry"])
                policies.save(registry, options["policy"], _terms(), None, is_on=is_on, policy=row)
            case "order":
                registry = registry_called(options["registry"])
                for name in options["policies"]:
                    _policy(name, registry)
                policies.put_in_order(registry, options["policies"], None)
            case "show":
                self.stdout.write(json.dumps(_policy(options["policy"]).terms, indent=2))
            case "remove":
                policies.remove(_policy(options["policy"]), None)
            case verb:
                policies.switch(_policy(options["policy"]), None, on=verb == "on")


def _policy(name: str, registry: Registry | None = None) -> Policy:
    """Raises CommandError."""
    row = Policy.objects.select_related("registry").filter(name=name).first()
    if row is None or (registry is not None and row.registry_id != registry.pk):
        raise CommandError(f"no policy is called {name}", returncode=2)
    return row


def _terms() -> Any:
    """Raises CommandError."""
    text = sys.stdin.read(_LARGEST + 1)
    try:
        return json.loads(text) if len(text) <= _LARGEST else None
    except (ValueError, RecursionError) as error:
        raise CommandError("the standard input is no JSON", returncode=2) from error
