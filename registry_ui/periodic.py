"""What the clock asks workers for, and how often: each entry is a task's name, seconds, and how long the asking holds.

One costs next to nothing where nothing is due. An asking that no worker took before the next one expires.
"""

from __future__ import annotations

from typing import Any, Final

PERIODIC_TASKS: Final[dict[str, dict[str, Any]]] = {
    "seal-entries": {"task": "audit.seal", "schedule": 10.0, "options": {"expires": 9}},
    "sweep-jobs": {"task": "jobs.sweep", "schedule": 30.0, "options": {"expires": 25}},
    "prune-jobs": {"task": "jobs.prune", "schedule": 24 * 3600.0, "options": {"expires": 3600}},
    "forget-visits": {"task": "access.forget", "schedule": 24 * 3600.0, "options": {"expires": 3600}},
    "recover-plans": {"task": "tagging.recover", "schedule": 60.0, "options": {"expires": 55}},
    "look-for-breaches": {"task": "tagging.look_for_breaches", "schedule": 60.0, "options": {"expires": 55}},
    "check-trash": {"task": "tagging.check_trash", "schedule": 15 * 60.0, "options": {"expires": 600}},
    "expire-trash": {"task": "tagging.expire", "schedule": 3600.0, "options": {"expires": 3000}},
    "look-for-unexplained": {"task": "catalog.look_for_unexplained", "schedule": 15.0, "options": {"expires": 12}},
    "tell-notices": {"task": "notices.tell", "schedule": 5.0, "options": {"expires": 5}},
    "prune-notices": {"task": "notices.prune", "schedule": 3600.0, "options": {"expires": 3000}},
    "queue-due-syncs": {"task": "sync.queue_due", "schedule": 30.0, "options": {"expires": 25}},
    "prune-syncs": {"task": "sync.prune", "schedule": 3600.0, "options": {"expires": 3000}},
    "finish-sweeps": {"task": "cleanup.finish_sweeps", "schedule": 30.0, "options": {"expires": 25}},
    "queue-due-sweeps": {"task": "cleanup.queue_due_sweeps", "schedule": 30.0, "options": {"expires": 25}},
    "prune-sweeps": {"task": "cleanup.prune_sweeps", "schedule": 24 * 3600.0, "options": {"expires": 3600}},
    "queue-waiting-checks": {"task": "cleanup.queue_waiting_checks", "schedule": 30.0, "options": {"expires": 25}},
    "prune-checks": {"task": "cleanup.prune_checks", "schedule": 24 * 3600.0, "options": {"expires": 3600}},
    "prune-pins": {"task": "cleanup.prune_pins", "schedule": 3600.0, "options": {"expires": 3000}},
    "prune-untagged": {"task": "cleanup.prune_untagged", "schedule": 3600.0, "options": {"expires": 3000}},
    "prune-garbage-collections": {
        "task": "cleanup.prune_garbage_collections",
        "schedule": 24 * 3600.0,
        "options": {"expires": 3600},
    },
    "open-registries": {"task": "cleanup.open_registries", "schedule": 60.0, "options": {"expires": 55}},
    "queue-due-retention": {"task": "cleanup.queue_due_retention", "schedule": 30.0, "options": {"expires": 25}},
    "queue-due-cleanup": {"task": "cleanup.queue_due_by_timetables", "schedule": 30.0, "options": {"expires": 25}},
    "prune-retention": {"task": "cleanup.prune_retention", "schedule": 3600.0, "options": {"expires": 3000}},
    "queue-due-scans": {"task": "catalog.queue_due_scans", "schedule": 30.0, "options": {"expires": 25}},
    # A job a day, soon after it began: the clock itself begins anew with each start.
    "fold-pulls": {"task": "catalog.queue_folding", "schedule": 3600.0, "options": {"expires": 3000}},
}
