"""What is typed for machines, as names and patterns are: no browser spells it otherwise, nor remembers it."""

from __future__ import annotations

from typing import Final

PLAIN: Final = {"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
"""The attributes of such a field."""
