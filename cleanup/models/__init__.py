"""Rows of cleanup."""

from __future__ import annotations
