from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from pathlib import Path
from typing import Any

import pytest

from notices.signing import new_secret, signed

PAGE = (Path(__file__).resolve().parents[2] / "docs/notices.md").read_text()


def example() -> Any:
    """The function that the documentation gives to receivers."""
    (source,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {"base64": base64, "hashlib": hashlib, "hmac": hmac, "time": time}
    exec(source, names)  # noqa: S102  it is ours
    return names["is_from_berth"]


def test_the_documented_example_verifies_what_is_signed() -> None:
    secret, now = new_secret(), int(time.time())
    headers = signed(secret, "entry-1", now, b'{"a":1}')

    assert example()(headers, b'{"a":1}', secret)
    assert not example()(headers, b'{"a":2}', secret)
    assert not example()(headers, b'{"a":1}', new_secret())
    assert not example()({**headers, "webhook-id": "entry-2"}, b'{"a":1}', secret)
    assert not example()({**headers, "webhook-timestamp": str(now + 1)}, b'{"a":1}', secret)
    old = signed(secret, "entry-1", now - 301, b'{"a":1}')
    assert not example()(old, b'{"a":1}', secret)


def test_it_is_the_signature_of_standard_webhooks() -> None:
    """The example that the specification's own libraries test with."""
    headers = signed(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64"])
def test_without_a_secret_nothing_is_signed(secret: str) -> None:
    with pytest.raises(ValueError, match="no secret"):
        signed(secret, "entry-1", 1, b"")
