from __future__ import annotations  # noqa: N999  it is what people type

import argparse
import json
import re
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.verification import Verdict, verify

_HEAD: Final = re.compile(r"([1-9][0-9]*):([0-9a-f]{64})")


def _head(text: str) -> tuple[int, str]:
    match = _HEAD.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no head: it is POSITION:HASH, as the log says it")
    return int(match[1]), match[2]


class Command(BaseCommand):
    help = "Prove that no entry of the audit was changed or removed, or name the first that was. Pulls are not proved."

    def add_arguments(self, parser: CommandParser) -> None:
        head = "a head that was noted before; may be given several times"
        parser.add_argument("--head", action="append", type=_head, default=[], metavar="POSITION:HASH", help=head)
        parser.add_argument("--json", action="store_true", help="say it as one object")

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = verify(dict(options["head"]))
        self.stdout.write(json.dumps(_as_json(verdict)) if options["json"] else _in_words(verdict))
        if verdict.broken:
            raise CommandError(f"the audit is broken: {verdict.broken.sentence}")


def _in_words(verdict: Verdict) -> str:
    counted = f"{verdict.entries:,} entries" + (" fit before that" if verdict.broken else "")
    waiting = f"; {verdict.waiting:,} more wait to be sealed" if verdict.waiting else ""
    return f"{counted}, head {verdict.head or 'none'}{waiting}"


def _as_json(verdict: Verdict) -> dict[str, Any]:
    broken = verdict.broken
    return {
        "ok": broken is None,
        "entries": verdict.entries,
        "waiting": verdict.waiting,
        "head": verdict.head or None,
        "broken": broken
        and {"what": broken.what, "entry": broken.entry, "position": broken.position, "sentence": broken.sentence},
    }
