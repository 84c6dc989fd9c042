"""What our own requests say of themselves, so that what a registry tells of them is not taken for somebody else's.

The user agent names the job, or the day, that asked, and proves with a secret of ours that it was us. Whoever reads
the registry's logs may show the same while that job lives, and so may hide pulls of theirs; what they push or delete
shows all the same.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import Final

from django.utils.crypto import constant_time_compare, salted_hmac

from oci.endpoint import USER_AGENT
from registries.models import Registry

_SALT: Final = "registries.own_requests"
_PATTERN: Final = re.compile(
    rf"{re.escape(USER_AGENT)} \(([a-z0-9-]{{1,40}}); ([\w-]{{8}}); ([0-9a-f]{{32}})\)", re.ASCII
)
_LENGTH: Final = 32


def user_agent(registry: Registry, asker: str = "") -> str:
    """That of a client for `registry`; `asker`: "job-12", or nothing, and it is the day that is named."""
    asker, nonce = asker or today(), secrets.token_urlsafe(6)
    return f"{USER_AGENT} ({asker}; {nonce}; {_proof(registry.pk, asker, nonce)})"


def asker_of(registry_id: int, user_agent: str) -> str:
    """Who of us has asked that registry with this user agent; "" where it was somebody else."""
    found = _PATTERN.fullmatch(user_agent)
    if found is None:
        return ""
    asker, nonce, proof = found.groups()
    return asker if constant_time_compare(proof, _proof(registry_id, asker, nonce)) else ""


def today() -> str:
    return f"day-{datetime.now(UTC):%Y-%m-%d}"


def _proof(registry_id: int | None, asker: str, nonce: str) -> str:
    return salted_hmac(_SALT, f"{registry_id}|{asker}|{nonce}", algorithm="sha256").hexdigest()[:_LENGTH]
