from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs.schedule import InvalidSchedule, Schedule
from registries.models import Registry
from sync.importing.document import LARGEST, NotImported
from sync.importing.imported import Imported
from sync.importing.regsync import read_regsync
from sync.importing.sentences import not_imported, remarked
from sync.importing.skopeo import read_skopeo
from sync.importing.taking_over import NotTakenOver, Taken, TakingOver, look_at, take_over
from sync.importing.words import in_words


class Command(BaseCommand):
    help = "Take over the rules of regsync or skopeo: shows what would be added, and adds it with --apply."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="its YAML; - for what comes in")
        parser.add_argument("--tool", required=True, choices=["regsync", "skopeo"], help="which tool the file is for")
        parser.add_argument("--target", metavar="NAME", help="ours, for rules into what the file does not name of ours")
        parser.add_argument("--into", default="{name}", metavar="TEMPLATE", help="skopeo: repositories there, {name}")
        parser.add_argument("--zone", default="UTC", metavar="ZONE", help="regsync: of the machine where it runs")
        parser.add_argument("--apply", action="store_true", help="add it; rules are switched off until you say so")
        parser.add_argument("--with-passwords", action="store_true", help="give new sources the passwords of the file")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        target = _target(options["target"])
        try:
            Schedule(zone=options["zone"]).check()
        except InvalidSchedule:
            raise CommandError(f"this machine knows no time zone {options['zone']}") from None
        if options["tool"] == "skopeo" and target is None:
            raise CommandError("skopeo's file does not say where to: name one of ours with --target")
        try:
            coming = look_at(_read(options), target)
        except NotImported as error:
            raise CommandError(f"nothing is taken over. {not_imported(error)}") from error
        except NotTakenOver as error:
            raise CommandError(f"nothing is taken over. {error}") from error
        taken = take_over(coming, None, with_passwords=options["with_passwords"]) if options["apply"] else None
        if options["json"]:
            self.stdout.write(json.dumps(_document(coming, taken), indent=2, ensure_ascii=False))
        else:
            self._tell(coming, taken)
        if taken is not None and taken.failed:
            raise CommandError(f"{len(taken.failed)} of it could not be added")

    def _tell(self, coming: TakingOver, taken: Taken | None) -> None:
        for place in coming.sources:
            state = place.problem or (f"is there, as {place.name}" if place.registry else f"new, as {place.name}")
            self.stdout.write(f"source {place.source.host} ({place.url}): {state}")
        for rule in coming.rules:
            said = rule.details
            from_where = f"{', '.join(said.repositories)} of {said.source}"
            self.stdout.write(f"rule {said.name}: {from_where} to {said.into} of {said.target}")
            self.stdout.write(f"  {'; '.join(in_words(said))}")
            if rule.there:
                self.stdout.write(f"  is there already, as {rule.there}")
            if rule.problem:
                self.stdout.write(f"  cannot be added: {rule.problem}")
        for remark in coming.remarks:
            left_out = " Left out." if remark.leaves_out else ""
            detail = f" ({remark.detail})" if remark.detail else ""
            self.stdout.write(f"line {remark.line}, {remark.where}: {remarked(remark)}{detail}{left_out}")
        if taken is None:
            self.stdout.write("Nothing was changed: --apply adds it.")
            return
        for name, why in taken.failed:
            self.stdout.write(f"not added: {name}: {why}")
        self.stdout.write(
            f"Added {_counted(taken.sources, 'source')} and {_counted(taken.rules, 'rule')}, switched off."
        )


def _read(options: dict[str, Any]) -> Imported:
    """Raises NotImported."""
    try:
        if options["file"] == "-":
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with Path(options["file"]).open("rb") as file:
                data = file.read(LARGEST + 1)
        text = data.decode()
    except OSError as error:
        raise CommandError(f"{options['file']} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{options['file']} is no text") from error
    if options["tool"] == "skopeo":
        return read_skopeo(text, target="", into=options["into"])
    return read_regsync(text, options["zone"])


def _target(name: str | None) -> Registry | None:
    if name is None:
        return None
    target = Registry.objects.active().filter(name=name).first()
    if target is None:
        known = ", ".join(Registry.objects.active().order_by("name").values_list("name", flat=True)) or "none yet"
        raise CommandError(f"no registry of ours is called {name}; there are: {known}")
    return target


def _counted(rows: Sequence[object], noun: str) -> str:
    return f"{len(rows)} {noun}{'' if len(rows) == 1 else 's'}"


def _document(coming: TakingOver, taken: Taken | None) -> dict[str, Any]:
    return {
        "sources": [
            {
                "host": place.source.host,
                "url": place.url,
                "name": place.name,
                "new": place.is_new,
                "problem": place.problem,
            }
            for place in coming.sources
        ],
        "rules": [
            {
                "name": rule.details.name,
                "source": rule.details.source,
                "repositories": list(rule.details.repositories),
                "target": rule.details.target,
                "into": rule.details.into,
                "words": in_words(rule.details),
                "problem": rule.problem,
                "there": rule.there,
            }
            for rule in coming.rules
        ],
        "remarks": [
            {
                "line": remark.line,
                "where": remark.where,
                "code": remark.code,
                "sentence": remarked(remark),
                "detail": remark.detail,
                "leaves_out": remark.leaves_out,
            }
            for remark in coming.remarks
        ],
        "added": None
        if taken is None
        else {
            "sources": [registry.name for registry in taken.sources],
            "rules": [rule.name for rule in taken.rules],
            "failed": [{"name": name, "why": why} for name, why in taken.failed],
        },
    }
