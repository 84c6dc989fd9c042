"""Rows of cleanup."""

from __future__ import annotations

from cleanup.models.checks import Check, CheckFinding, Halt

__all__ = ["Check", "CheckFinding", "Halt"]
