"""The static files that Berth serves: its own, and of its packages those that a page asks for."""

from __future__ import annotations

from django.contrib.staticfiles.apps import StaticFilesConfig


class Served(StaticFilesConfig):
    # Ninja brings a second viewer of its documents, four megabytes that no page of ours uses.
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "redoc.*"]
