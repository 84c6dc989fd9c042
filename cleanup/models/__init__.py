"""Rows of cleanup: the policies of retention, and their runs with what becomes of each tag."""

from __future__ import annotations

from cleanup.models.checks import Check, CheckFinding, Halt
from cleanup.models.classic import ClassicRun, ClassicStep
from cleanup.models.pins import Pin, PinHolder
from cleanup.models.sweeps import Sweep, SweepTerms, SweptBlob, SweptUpload
from cleanup.models.untagged import UntaggedItem, UntaggedRun

__all__ = [
    "Check",
    "CheckFinding",
    "ClassicRun",
    "ClassicStep",
    "Halt",
    "Pin",
    "PinHolder",
    "Sweep",
    "SweepTerms",
    "SweptBlob",
    "SweptUpload",
    "UntaggedItem",
    "UntaggedRun",
]
from cleanup.models.policies import Policy
from cleanup.models.runs import Run, RunRepository, RunTag

__all__ = ["Policy", "Run", "RunRepository", "RunTag"]
