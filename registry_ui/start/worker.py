"""A Celery worker whose pool never outlives it: `python -m registry_ui.start.worker QUEUE PROCESSES`."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any, Final

import django
from celery.signals import worker_process_init

from jobs.leash import die_with
from registry_ui.celery import app

_WORKER: Final = os.getpid()


@worker_process_init.connect
def _tie_to_the_worker(**_: Any) -> None:
    die_with(_WORKER)


if __name__ == "__main__":
    queue, processes = sys.argv[1:]
    django.setup()  # its logs are in order before Celery says its first word
    logging.captureWarnings(True)  # noqa: FBT003  a warning of several lines is one line of the log
    # There is one worker for each queue: none needs the others' gossip, nor a minute to find them.
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    app.worker_main(["--quiet", "worker", "-Q", queue, "-c", processes, "-n", f"{queue}@%h", *quiet])
