"""Sources for the walk: one that counts pulls, one that lists what it holds, and one that wants to be trusted first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from registries.models import Registry
from registries.presets import PRESETS
from sync.details import Details
from sync.models import Rule
from sync.terms import Terms
from tests.web import furniture as make

_THERE: Final = {"generation": 3, "auth": "bearer", "pull": "there", "problem": "", "reason": ""}
_FOUND: Final[dict[str, dict[str, Any]]] = {
    "docker-hub": {
        **_THERE,
        "image": "ratelimitpreview/test:latest",
        "quota": {"remaining": 76, "limit": 100, "window": 21_600},
    },
    "quay": {"problem": "unreachable", "reason": "GET v2/: connection refused"},
    "mcr": {**_THERE, "auth": "none", "image": "hello-world:latest", "listed": 412},
}


def build(where: Registry) -> Registry:
    """Docker Hub, which rules copy from."""
    for preset in PRESETS:
        if preset.key in _FOUND:
            limits = {name: getattr(preset.limits, name) for name in preset.limits.__slots__}
            make.registry(
                preset.key,
                url=preset.url,
                preset=preset.key,
                role=Registry.Role.SOURCE,
                capabilities=_FOUND[preset.key],
                probed_at=timezone.now() - timedelta(minutes=7),
                **limits,
            )
    asking = {"problem": "foreign-realm", "realm": "https://tokens.example.net/auth", "auth": "bearer"}
    upstream = make.registry("upstream", url="https://registry.example.net", username="berth", capabilities=asking)
    Registry.objects.filter(pk=upstream.pk).update(
        role=Registry.Role.SOURCE, probed_at=timezone.now(), bytes_per_second=5_000_000
    )
    hub = Registry.objects.get(name="docker-hub")
    for name, repository, is_on in (("hub-alpine", "library/alpine", True), ("hub-nginx", "library/nginx", False)):
        details = Details(name, hub.name, (repository,), where.name, into="mirror/{repository}", is_on=is_on)
        terms = Terms.of(details).written()
        Rule.objects.create(name=name, source=hub, target=where, terms=terms, is_on=is_on, created_by="mara")
    between = Details("base-to-edge", where.name, ("base/python",), where.name, into="released/{name}")
    Rule.objects.create(name=between.name, source=where, target=where, terms=Terms.of(between).written())
    return hub
