from __future__ import annotations

import re

import pytest
from django.contrib.auth.password_validation import validate_password

from access.models import User
from access.passwords import create_first_admin, generate, set_generated

pytestmark = pytest.mark.django_db


def test_a_made_password_can_be_typed_and_passes_our_own_rules() -> None:
    password = generate()

    assert re.fullmatch(r"(?:[a-z2-9]{4}-){3}[a-z2-9]{4}", password)
    assert not set("il1o0") & set(password)
    validate_password(password)


def test_no_two_made_passwords_are_alike() -> None:
    assert len({generate() for _ in range(200)}) == 200


def test_the_first_admin_is_made_once() -> None:
    password = create_first_admin()

    admin = User.objects.get()
    assert password is not None
    assert admin.username == "admin"
    assert admin.is_staff
    assert admin.check_password(password)
    assert create_first_admin() is None
    assert User.objects.count() == 1


def test_no_admin_is_made_where_somebody_exists() -> None:
    User.objects.create_user("mara")

    assert create_first_admin() is None


def test_a_password_is_kept_only_as_a_hash() -> None:
    user = User.objects.create_user("mara")

    password = set_generated(user)

    user.refresh_from_db()
    assert password not in user.password
    assert user.check_password(password)


@pytest.mark.parametrize(
    ("username", "name", "initials"),
    [("mara", "", "MA"), ("mvoss", "Mara Voss", "MV"), ("ci-bot", "", "CB"), ("x", "", "X"), ("a.b.c", "", "AC")],
)
def test_initials(username: str, name: str, initials: str) -> None:
    first, _, last = name.partition(" ")

    assert User(username=username, first_name=first, last_name=last).initials == initials
