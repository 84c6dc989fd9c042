"""Which variable of an image may hold a secret: a hint for a reader, by the shape of its name and value. Pure.

Nothing is hidden: the value is in the image, and whoever can pull it can read it.
"""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 4_000  # characters of a value that is looked at
_NAMES: Final = re.compile(
    r"(?:^|_)(?:PASS|PASSWD|PASSWORD|PASSPHRASE|PWD|SECRET|SECRETS|TOKEN|CREDENTIAL|CREDENTIALS"
    r"|API_?KEY|ACCESS_?KEY|SECRET_?KEY|PRIVATE_?KEY|AUTH_?KEY|SIGNING_?KEY|ENCRYPTION_?KEY)(?:$|_(?!FILE$|PATH$|DIR$))",
    re.IGNORECASE,
)
_VALUES: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[0-9A-Za-z]{36}"
    r"|\bgithub_pat_[0-9A-Za-z_]{22}"
    r"|\bglpat-[0-9A-Za-z_-]{20}"
    r"|\bxox[abprs]-[0-9A-Za-z-]{10}"
    r"|\bsk-[0-9A-Za-z_-]{20}"
    r"|\beyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\."
    r"|://[^\s:/@]{1,200}:[^\s:/@]{1,200}@"
)
_HARMLESS: Final = re.compile(r"\s*|[0-9]{1,4}|true|false|yes|no|on|off|none|null|/\S*|\$\{?\w+\}?", re.IGNORECASE)
_FOLDERS: Final = frozenset({"PWD", "OLDPWD"})


def may_hold_secret(name: str, value: str) -> bool:
    """A file's path, a switch, a number of few digits and another variable are none, whatever the name says."""
    value = value[:_LONGEST]
    if _VALUES.search(value):
        return True
    return name not in _FOLDERS and _NAMES.search(name[:200]) is not None and not _HARMLESS.fullmatch(value)
