"""Rows of cleanup."""

from __future__ import annotations

from cleanup.models.checks import Check, CheckFinding, Halt
from cleanup.models.sweeps import Sweep, SweepTerms, SweptBlob, SweptUpload

__all__ = ["Check", "CheckFinding", "Halt", "Sweep", "SweepTerms", "SweptBlob", "SweptUpload"]
