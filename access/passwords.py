"""Passwords that we make: long enough to be safe, short enough to be typed."""

from __future__ import annotations

import secrets

from access.models import User

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is mistaken for another


def generate() -> str:
    """Four groups of four: about 79 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def set_generated(user: User) -> str:
    """Give `user` a new password, which ends their sessions, and return it: it is stored nowhere."""
    password = generate()
    user.set_password(password)
    user.save(update_fields=["password"])
    return password


def create_first_admin() -> str | None:
    """Create `admin` where nobody exists yet; its password, or None when somebody does."""
    if User.objects.exists():
        return None
    admin = User(username="admin", is_staff=True, is_superuser=True)
    password = generate()
    admin.set_password(password)
    admin.save()
    return password
