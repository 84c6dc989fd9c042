"""Names of repositories as companies give them: namespaces one to four levels deep, some of them repositories too."""

from __future__ import annotations

import random
from typing import Final

_TOPS: Final = (
    "payments", "identity", "search", "data", "ml", "infra", "platform", "web", "mobile", "growth", "risk", "billing",
    "catalog", "orders", "shipping", "support", "security", "observability", "edge", "media", "ads", "partners",
    "internal", "labs", "library", "mirror", "ci", "tools", "games", "maps",
)  # fmt: skip
_AREAS: Final = (
    "core", "batch", "stream", "gateway", "portal", "admin", "jobs", "events", "reports", "ingest", "export", "sandbox",
    "staging", "prod", "shared", "emea", "apac", "latam", "legacy", "next",
)  # fmt: skip
_PARTS: Final = (
    "api", "worker", "web", "cron", "proxy", "migrate", "agent", "operator", "exporter", "consumer", "producer", "cli",
    "ui", "scheduler", "cache", "gateway", "notifier", "renderer", "indexer", "importer", "sidecar", "init", "backup",
)  # fmt: skip
_THINGS: Final = (
    "ledger", "invoice", "session", "profile", "feature", "model", "ticket", "cart", "stock", "route", "price", "offer",
    "alert", "metric", "trace", "image", "video", "review", "coupon", "refund", "account", "device", "label", "quota",
)  # fmt: skip
_DEPTHS: Final = (0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4)
_BELOW_ANOTHER: Final = 0.04  # the part of the names that lie below a repository


def repository_names(count: int, seed: int) -> list[str]:
    """`count` names, all different, in the order of their numbers."""
    chance = random.Random(seed)  # noqa: S311  nothing here is secret
    names: dict[str, None] = {}
    order: list[str] = []
    while len(order) < count:
        name = _below(chance, order) if order and chance.random() < _BELOW_ANOTHER else _name(chance)
        while name in names:
            name = f"{name.rstrip('0123456789').rstrip('-')}-{chance.randrange(2, 100 + count)}"
        names[name] = None
        order.append(name)
    return order


def _name(chance: random.Random) -> str:
    depth = chance.choice(_DEPTHS)
    levels = [chance.choice(_TOPS)] if depth else []
    levels += [f"{chance.choice(_AREAS)}" if chance.random() < 0.7 else _team(chance) for _ in range(depth - 1)]  # noqa: PLR2004
    return "/".join([*levels, f"{chance.choice(_THINGS)}-{chance.choice(_PARTS)}"])


def _below(chance: random.Random, order: list[str]) -> str:
    above = chance.choice(order)
    return f"{above}/{chance.choice(_PARTS)}" if above.count("/") < 4 else _name(chance)  # noqa: PLR2004


def _team(chance: random.Random) -> str:
    return f"team-{chance.choice(_THINGS)}"
