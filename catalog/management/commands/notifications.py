from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.event_findings import event_findings, works
from catalog.event_trial import let_tell
from catalog.freshness import Freshness, freshness
from registries import event_secrets, notifications
from registries.addresses import WrongAddress, normal_address
from registries.environment import events_secret_owner
from registries.findings import Finding, Mark
from registries.models import Registry

_MARKS = {Mark.OK: "+", Mark.NO: "!", Mark.NOTE: " "}


class Command(BaseCommand):
    help = (
        "How a registry tells Berth what happens there: the block for its configuration, how that stands, a test."
        " Exits with 1 where it does not work."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", nargs="?", help="its name; not needed where there is but one")
        parser.add_argument("--url", metavar="BERTH_URL", help="Berth's address as the registry reaches it")
        parser.add_argument(
            "--registry-version",
            type=int,
            choices=list(notifications.GENERATIONS),
            help="what the last test found, else 3",
        )
        parser.add_argument("--new-secret", action="store_true", help="issue one and show it, this once")
        parser.add_argument("--status", action="store_true", help="how the events stand, and what is missing")
        parser.add_argument(
            "--test", action="store_true", help="read an image, and wait for the registry to tell of it"
        )
        parser.add_argument("--json", action="store_true", help="for scripts")

    def handle(self, *args: Any, **options: Any) -> None:
        registry = _named(options["registry"])
        told: dict[str, Any] = {"registry": registry.name}
        findings: list[Finding] = []
        if options["status"]:
            fresh = freshness(registry)
            found = event_findings(fresh)
            told |= {"status": _figures(fresh), "findings": _as_json(found)}
            findings += found
        if options["test"]:
            found = [let_tell(registry)]
            told["test"] = _as_json(found)[0]
            findings += found
        if not (options["status"] or options["test"]) or options["new_secret"]:
            told |= self._block(registry, options)
        if options["json"]:
            self.stdout.write(json.dumps(told, indent=2, ensure_ascii=False))
        else:
            self._say(told, findings)
        if not works(findings):
            raise SystemExit(1)

    def _block(self, registry: Registry, options: dict[str, Any]) -> dict[str, Any]:
        berth = _address(options["url"])
        generation = options["registry_version"] or registry.capability("generation") or max(notifications.GENERATIONS)
        secret, name = notifications.SECRET, registry.name
        told: dict[str, Any] = {}
        if options["new_secret"]:
            secret, told = _issued(registry)
        if registry.embedded:
            name = notifications.OWN
        return {
            **told,
            "block": notifications.block(berth, name, secret, generation),
            "variables": notifications.variables(berth, name, secret),
            "remarks": notifications.remarks(berth),
            "secret": _about_secret(registry, is_new=options["new_secret"]),
        }

    def _say(self, told: dict[str, Any], findings: list[Finding]) -> None:
        for name, value in told.get("status", {}).items():
            self.stdout.write(f"{name.replace('_', ' ')}: {'none' if value is None else value}")
        for finding in findings:
            line = f"{_MARKS[finding.mark]} {finding.sentence} {finding.cure}".rstrip()
            self.stdout.write(f"{line} ({_printable(finding.why)})" if finding.why else line)
        if "block" not in told:
            return
        self.stdout.write(f"# {told['secret']}")
        if "live" in told:
            self.stdout.write(f"# {told['live']}")
        for remark in told["remarks"]:
            self.stdout.write(f"# {remark}")
        self.stdout.write(f"\n{told['block']}")
        self.stdout.write("# Or, where it is set up by its environment:")
        for line in told["variables"].splitlines():
            self.stdout.write(f"#   {line}")


def _named(name: str | None) -> Registry:
    active = Registry.objects.active().by_name()
    registries = list(active.filter(name=name) if name else active)
    if len(registries) == 1:
        return registries[0]
    known = ", ".join(active.values_list("name", flat=True)) or "none yet"
    if name:
        raise CommandError(f"no registry is called {name}; there are: {known}")
    raise CommandError(f"say which registry; there are: {known}")


def _address(url: str | None) -> str:
    try:
        return normal_address(url or settings.PUBLIC_URL, plain_http=True)
    except WrongAddress as error:
        raise CommandError(f"--url: {error}") from error


def _issued(registry: Registry) -> tuple[str, dict[str, Any]]:
    """A new secret, and what becomes of those before."""
    if owner := events_secret_owner(registry):
        raise CommandError(f"{owner} says the secret of {registry.name}; change it there (docs/notifications.md)")
    before = event_secrets.live(registry)
    secret = event_secrets.issue(registry)
    now = event_secrets.live(registry)
    gone = [kept for kept in before if kept not in now]
    live = f"{len(now)} secrets are live now" if len(now) > 1 else "It is the only one that is live"
    if gone:
        live += "; the one of " + ", ".join(f"{kept.created_at:%Y-%m-%d %H:%M}" for kept in gone) + " is gone"
    return secret, {"live": f"{live}."}


def _about_secret(registry: Registry, *, is_new: bool) -> str:
    if is_new:
        return "This secret is shown this once: Berth keeps none that can be read."
    if registry.embedded and events_secret_owner(registry):
        return "./run has written this into the configuration of its registry already."
    if owner := events_secret_owner(registry):
        return f"The secret is that of {owner}."
    return "Berth keeps no secret that can be read: --new-secret issues one and shows it."


def _figures(fresh: Freshness) -> dict[str, Any]:
    stream = fresh.stream
    return {
        "secrets": len(fresh.secrets),
        "first_event": _iso(stream and stream.first_at),
        "last_event": _iso(stream and stream.last_at),
        "lag_seconds": fresh.lag and fresh.lag.total_seconds(),
        "handled": stream.handled if stream else 0,
        "repeated": stream.repeated if stream else 0,
        "own": stream.own if stream else 0,
        "looks": stream.looks if stream else 0,
        "blobs": stream.blobs if stream else 0,
        "waiting": fresh.waiting,
        "waiting_since": _iso(fresh.waiting_since),
        "quarantined": stream.quarantined if stream else len(fresh.quarantine),
        "unexplained": stream.unexplained if stream else 0,
        "instance": _printable(stream.instance) if stream else None,
        "instance_since": _iso(stream and stream.instance_since),
    }


def _as_json(findings: list[Finding]) -> list[dict[str, Any]]:
    return [asdict(finding) for finding in findings]


def _iso(when: Any) -> str | None:
    return when.isoformat(timespec="seconds") if when else None


def _printable(text: str) -> str:
    """Of a stranger's text what a terminal may show."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:200])
