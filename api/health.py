"""For whoever watches over Berth: is the process alive, and can it serve? No secrets, no sign-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

_PATIENCE: Final = 1.0  # seconds that the broker may take


@require_safe
def alive(request: HttpRequest) -> JsonResponse:  # noqa: ARG001  a view's signature
    """200 while the process answers at all."""
    return JsonResponse({"alive": True})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:  # noqa: ARG001  a view's signature
    """200 when all that a page needs is there, else 503; each check says true or false and nothing else."""
    checks = {name: check() for name, check in CHECKS.items()}
    everything = all(checks.values())
    return JsonResponse({"ready": everything, "checks": checks}, status=200 if everything else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone())
    except DatabaseError:
        return False


def _migrations_are_applied() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


def _broker_answers() -> bool:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE
        ) as broker:
            return bool(broker.ping())
    except (redis.RedisError, OSError, ValueError):
        return False


CHECKS: Final[dict[str, Callable[[], bool]]] = {
    "database": _database_answers,
    "migrations": _migrations_are_applied,
    "broker": _broker_answers,
}
