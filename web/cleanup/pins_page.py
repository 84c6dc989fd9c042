"""The pages of pins: who says what is in use, what of it is here, and the commands that say so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import F, Q
from django.urls import reverse

from catalog.models import Presence
from cleanup.models import Pin
from cleanup.models.pins import HOLDER
from registries.models import for_asking

EXAMPLE: Final = "cluster-a"
_SHOWN: Final = 3  # images of one digest
_MOST: Final = 500  # images of a page's digests
_HOLDER: Final = re.compile(HOLDER)
_SCRIPT: Final = """\
#!/bin/sh
# Says to Berth what is in use: lines with digests come in, the name of the holder is the argument.
# password.txt holds the password without a line end; only staff may say so.
set -eu
berth={berth}
cookies=$(mktemp)
trap 'rm -f "$cookies"' EXIT
form=$(curl -fsS -c "$cookies" "$berth/sign-in" |
    sed -n 's/.*csrfmiddlewaretoken" value="\\([^"]*\\).*/\\1/p' | head -n 1)
curl -fsS -o /dev/null -b "$cookies" -c "$cookies" -e "$berth/sign-in" \\
    --data-urlencode "csrfmiddlewaretoken=$form" --data-urlencode username={username} \\
    --data-urlencode password@password.txt "$berth/sign-in"
token=$(awk '$6 == "csrftoken" {{print $7}}' "$cookies")
curl -fsS -b "$cookies" -e "$berth/" -H "X-CSRFToken: $token" -H 'Content-Type: text/plain' \\
    --data-binary @- "$berth/api/v1/pins?holder=$1"
"""


@dataclass(frozen=True, slots=True)
class Commands:
    """How `holder` says what it runs: the script once, and a line for each kind of machine, by its name."""

    holder: str
    script: str
    lines: dict[str, str]

    @classmethod
    def of(cls, berth: str, username: str, holder: str) -> Commands:
        """`berth`: scheme and host. What is no name of a holder becomes an example."""
        name = holder if _HOLDER.fullmatch(holder) else EXAMPLE
        return cls(
            holder=name,
            script=_SCRIPT.format(berth=shlex.quote(berth), username=shlex.quote(username or "mara")),
            lines={
                "Kubernetes": f"kubectl get pods -A -o jsonpath='{{..imageID}}' | ./berth-pin {name}",
                "Docker": f"docker ps -q | xargs -r docker inspect --format '{{{{.Image}}}}' | ./berth-pin {name}",
            },
        )


@dataclass(frozen=True, slots=True)
class Place:
    """An image that is here, and the way to it."""

    registry: str
    name: str
    href: str


@dataclass(frozen=True, slots=True)
class PinRow:
    """A pin with what is here of it; none where the catalog knows no such image."""

    pin: Pin
    places: list[Place]
    more: int


def rows_of(pins: Iterable[Pin]) -> list[PinRow]:
    """One query more."""
    pins = list(pins)
    found = _places([pin.digest for pin in pins])
    rows = [(pin, found.get(pin.digest, [])) for pin in pins]
    return [PinRow(pin, places[:_SHOWN], max(0, len(places) - _SHOWN)) for pin, places in rows]


def _places(digests: Iterable[str]) -> dict[str, list[Place]]:
    """Images by the digest that was pinned: their own, or that of their config."""
    wanted = set(digests)
    rows = (
        Presence.objects.present()
        .filter(Q(manifest__digest__in=wanted) | Q(manifest__config__digest__in=wanted))
        .filter(repository__gone_at=None, repository__registry__retired_at=None)
        .select_related("repository__registry", "manifest")
        .defer(*for_asking("repository__registry"))
        .annotate(config=F("manifest__config__digest"))
        .order_by("pk")
    )
    found: dict[str, list[Place]] = {}
    for presence in rows[:_MOST]:
        digest = presence.manifest.digest
        pinned = digest if digest in wanted else presence.config  # type: ignore[attr-defined]  # annotated
        found.setdefault(pinned, []).append(_place(presence))
    return found


def _place(presence: Presence) -> Place:
    repository, digest = presence.repository, presence.manifest.digest
    where = (repository.registry.name, repository.name)
    if presence.lead_tag:
        href = reverse("tag", args=[*where, presence.lead_tag])
        return Place(repository.registry.name, f"{repository.name}:{presence.lead_tag}", href)
    href = reverse("manifest", args=[*where, digest])
    return Place(repository.registry.name, f"{repository.name}@{digest.partition(':')[2][:12]}", href)
