"""Rows of cleanup."""

from __future__ import annotations

from cleanup.models.checks import Check, CheckFinding, Halt
from cleanup.models.classic import ClassicRun, ClassicStep
from cleanup.models.pins import Pin, PinHolder
from cleanup.models.policies import Policy
from cleanup.models.runs import RetentionRun, RunRepository, RunTag
from cleanup.models.sweeps import Sweep, SweepTerms, SweptBlob, SweptUpload
from cleanup.models.timetables import Timetable
from cleanup.models.untagged import UntaggedItem, UntaggedRun

__all__ = [
    "Check",
    "CheckFinding",
    "ClassicRun",
    "ClassicStep",
    "Halt",
    "Pin",
    "PinHolder",
    "Policy",
    "RetentionRun",
    "RunRepository",
    "RunTag",
    "Sweep",
    "SweepTerms",
    "SweptBlob",
    "SweptUpload",
    "Timetable",
    "UntaggedItem",
    "UntaggedRun",
]
