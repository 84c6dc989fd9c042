from __future__ import annotations

import io

import pytest
from django.contrib.auth import get_user
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory

from access.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_adduser_prints_a_password_that_works() -> None:
    said = run("adduser", "mara", "--name", "Mara Voss", "--email", "mara@example.org")

    user = User.objects.get(username="mara")
    assert said.startswith("mara (may read) can sign in with ")
    assert user.check_password(said.split()[-1])
    assert (user.first_name, user.last_name, user.email) == ("Mara", "Voss", "mara@example.org")
    assert not user.is_staff
    assert not user.is_superuser


def test_adduser_makes_staff_only_when_told() -> None:
    run("adduser", "mara", "--staff")

    assert User.objects.get(username="mara").is_staff


def test_adduser_leaves_an_existing_person_alone() -> None:
    User.objects.create_user("mara", password="before")

    with pytest.raises(CommandError, match="mara exists already"):
        run("adduser", "mara", "--staff")

    user = User.objects.get(username="mara")
    assert user.check_password("before")
    assert not user.is_staff


@pytest.mark.parametrize("name", ["", "two words", "a/b", "x" * 151])
def test_adduser_refuses_a_name_that_is_none(name: str) -> None:
    with pytest.raises(CommandError):
        run("adduser", name)

    assert not User.objects.exists()


def test_setpassword_gives_a_new_one_to_the_person_named() -> None:
    User.objects.create_user("admin", password="old-admin", is_staff=True)
    mara = User.objects.create_user("mara", password="old-mara")

    said = run("setpassword", "mara")

    mara.refresh_from_db()
    assert mara.check_password(said.split()[-1])
    assert User.objects.get(username="admin").check_password("old-admin")


def test_setpassword_means_admin_where_nobody_is_named() -> None:
    User.objects.create_user("admin", password="old-admin", is_staff=True)

    said = run("setpassword")

    assert said.startswith("admin can sign in with ")
    assert User.objects.get().check_password(said.split()[-1])


def test_setpassword_for_nobody_says_how_to_add_them() -> None:
    with pytest.raises(CommandError, match=r"nobody is called mara; \./run manage adduser mara"):
        run("setpassword", "mara")


def test_setpassword_ends_the_sessions_of_that_person_and_of_no_other(client: Client) -> None:
    mara, jonas = (User.objects.create_user(name, password="old") for name in ("mara", "jonas"))
    here, theirs = client, Client()
    here.force_login(mara, backend=BACKEND)
    theirs.force_login(jonas, backend=BACKEND)
    assert signed_in(here) == mara

    run("setpassword", "mara")

    assert signed_in(here).is_anonymous
    assert signed_in(theirs) == jonas


def signed_in(client: Client) -> AbstractBaseUser | AnonymousUser:
    """Whom a page would see."""
    request = RequestFactory().get("/")
    request.session = client.session
    return get_user(request)
