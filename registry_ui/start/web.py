"""What gunicorn is told (`--config python:registry_ui.start.web`); its address is on the command line."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

from jobs.leash import die_with
from registry_ui import env
from registry_ui.logs import logging_config

wsgi_app = "registry_ui.wsgi"
worker_class = "gthread"
workers = 2
threads = 8  # take turns (`jobs.processor`); most wait for registries, if there are many
timeout = 60
graceful_timeout = 4
keepalive = 5
control_socket_disable = True
# Heartbeats into a file on a disk that is busy would look like a worker that hangs.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


# Its lines look like those of Django, which it loads.
logconfig_dict = logging_config(env.text("BERTH_LOG_FORMAT", "text"), env.text("BERTH_LOG_LEVEL", "INFO").upper())
for _name, _level in (("gunicorn.error", "INFO"), ("gunicorn.access", "CRITICAL")):
    logconfig_dict["loggers"][_name] = {"level": _level, "handlers": ["stderr"], "propagate": False}


def post_fork(server: Any, _worker: Any) -> None:
    die_with(server.pid)


def post_worker_init(_worker: Any) -> None:
    """All that is loaded now stays: to look through it for garbage made one page in fifty wait a tenth of a second."""
    gc.collect()
    gc.freeze()
