"""The receiver of what registries tell: who may, what is kept of it, and what is answered."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from api.events import EventsFirst
from audit import inbox
from audit.models import Delivery, Refused
from oci.events import MEDIA_TYPE
from registries import event_secrets
from registries.models import EventSecret, Registry
from tests.web import furniture as make

pytestmark = pytest.mark.django_db(databases="__all__")

BODY = b'{"events": []}'
_ADDRESSES = map("192.0.2.{}".format, count(1))  # of one address a process writes once a second


@pytest.fixture
def secret(local: Registry) -> str:
    return event_secrets.issue(local)


def tell(
    secret: str | None, body: bytes = BODY, *, to: str = "local", come_from: str = "192.0.2.0", **headers: str
) -> Answer:
    if secret is not None:
        headers = {"Authorization": f"Bearer {secret}", **headers}
    factory = RequestFactory(REMOTE_ADDR=come_from)
    request = factory.generic("POST", f"/api/v1/events/{to}", body, content_type=MEDIA_TYPE, headers=headers)
    return answer(request.environ)


@dataclass
class Answer:
    """As a server would send it."""

    status_code: int = 0
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.headers[name]


def answer(environ: dict[str, Any]) -> Answer:
    """What comes in this way never reaches the application behind it."""
    given = Answer()

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        given.status_code, given.headers = int(status.split(maxsplit=1)[0]), dict(headers)

    given.content = b"".join(EventsFirst(_nobody)(environ, start))
    return given


def _nobody(*_: Any) -> list[bytes]:
    raise AssertionError("it was led on")


def kept() -> list[bytes]:
    return [bytes(delivery.body) for delivery in Delivery.objects.order_by("pk")]


def test_what_is_told_is_kept_as_it_came(local: Registry, secret: str) -> None:
    response = tell(secret)
    assert (response.status_code, response.content) == (202, b"")
    delivery = Delivery.objects.get()
    assert (delivery.registry_id, bytes(delivery.body), delivery.size) == (local.pk, BODY, len(BODY))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"\x00\xff\xfe no text",
        b"\x1f\x8b\x08\x00 compressed",
        b"[" * 5_000,
        b'{"events": [' + b"{}," * 100_000 + b"{}]}",
    ],
    ids=["nothing", "null", "bytes", "gzip", "deep", "many"],
)
def test_nonsense_is_kept_too(secret: str, body: bytes) -> None:
    """Anything but yes, and the registry would tell it again before anything else, for ever."""
    assert tell(secret, body).status_code == 202
    assert kept() == [body]


@pytest.mark.parametrize("more", [1, 10 * 2**20])
def test_of_what_is_too_large_the_beginning_is_kept(secret: str, more: int) -> None:
    body = b"x" * (inbox.LARGEST + more)
    assert tell(secret, body).status_code == 202
    delivery = Delivery.objects.get()
    assert bytes(delivery.body) == body[: 2**16]
    assert delivery.size == len(body)


def test_what_just_fits_is_kept_whole(secret: str) -> None:
    body = b"x" * inbox.LARGEST
    assert tell(secret, body).status_code == 202
    assert kept() == [body]


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer w\xe4r"},
        {"Authorization": "Basic {secret}"},
        {"Authorization": "{secret}"},
        {"Authorization": "Bearer {secret}x"},
        {"Authorization": "Bearer {other}"},
        {"Cookie": "sessionid={secret}"},
    ],
)
def test_who_does_not_show_the_secret_is_not_heard(secret: str, header: dict[str, str]) -> None:
    other = event_secrets.issue(make.registry("other"))
    shown = {name: value.format(secret=secret, other=other) for name, value in header.items()}
    here = next(_ADDRESSES)
    response = tell(None, BODY, come_from=here, **shown)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert kept() == []
    refused = Refused.objects.get()
    assert (refused.registry, refused.address, refused.count) == ("local", here, 1)


def test_a_secret_in_the_address_is_none(secret: str) -> None:
    assert tell(None, to=f"local?secret={secret}&access_token={secret}").status_code == 401


def test_a_session_of_staff_opens_nothing(secret: str, staff_client: Client) -> None:
    assert tell(None, Cookie=staff_client.cookies.output(header="").strip()).status_code == 401


@pytest.mark.parametrize("name", ["nobody", "", "local/", "lo cal", "a" * 300, "%00", "..%2flocal", "LOCAL"])
def test_no_other_address_is_heard_and_nobody_is_alarmed(secret: str, name: str) -> None:
    response = tell(secret, to=name)
    assert response.status_code == 401
    assert kept() == []
    assert not Refused.objects.exists()


def test_a_registry_that_retired_is_not_heard(local: Registry, secret: str) -> None:
    Registry.objects.filter(pk=local.pk).update(retired_at=timezone.now())
    assert tell(secret).status_code == 401


def test_a_registry_with_another_name_may_call_the_old_address(local: Registry, secret: str) -> None:
    Registry.objects.filter(pk=local.pk).update(name="main")
    assert tell(secret).status_code == 202
    assert tell(secret, to="main").status_code == 202
    assert set(Delivery.objects.values_list("registry_id", flat=True)) == {local.pk}


def test_a_secret_is_changed_in_two_steps(local: Registry) -> None:
    first, second = event_secrets.issue(local), event_secrets.issue(local)
    assert [tell(secret).status_code for secret in (first, second)] == [202, 202]
    third = event_secrets.issue(local)
    assert [tell(secret).status_code for secret in (first, second, third)] == [401, 202, 202]
    older = EventSecret.objects.order_by("pk")[0]
    assert event_secrets.revoke(local, older.pk)
    assert [tell(secret).status_code for secret in (second, third)] == [401, 202]


def test_a_secret_that_is_kept_again_stays_one(local: Registry) -> None:
    for _ in range(3):
        event_secrets.keep(local, "s" * 43)
    assert EventSecret.objects.count() == 1
    assert tell("s" * 43).status_code == 202


def test_no_row_holds_a_secret(secret: str) -> None:
    assert tell(secret).status_code == 202
    for row in (*EventSecret.objects.values(), *Delivery.objects.values()):
        assert secret not in str(row)


def test_nobody_is_led_elsewhere(secret: str, settings: Settings) -> None:
    """By whatever name a registry calls Berth, it has no use for a redirect or a complaint about that."""
    settings.ALLOWED_HOSTS = ["berth.example.org"]
    settings.SECURE_SSL_REDIRECT = True
    assert tell(secret, Host="berth:8000").status_code == 202
    assert tell("wrong", Host="berth:8000").status_code == 401


def test_many_refusals_are_counted_and_not_written_one_by_one(secret: str) -> None:
    here = next(_ADDRESSES)
    for _ in range(50):
        assert tell("wrong", come_from=here).status_code == 401
    assert Refused.objects.get().count == 1  # the others are written with the next, a second later


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_what_cannot_be_stored_is_told_again(secret: str) -> None:
    with connections["inbox" if "inbox" in connections else "default"].execute_wrapper(_full):
        response = tell(secret)
    assert response.status_code == 503
    assert response["Retry-After"]
    assert tell(secret).status_code == 202


def test_a_name_writes_no_line_of_its_own_into_the_log(db: None, caplog: pytest.LogCaptureFixture) -> None:
    with connections["default"].execute_wrapper(_away):
        response = tell("x", to="x%0AFORGED")
    assert response.status_code == 503
    assert "\nFORGED" not in caplog.messages[0]


def _away(*_: Any) -> Any:
    raise OperationalError("the database is away")


def _full(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    """As of a disk that is full, for what is put into the inbox."""
    if "audit_delivery" in sql:
        raise OperationalError("database or disk is full")
    return execute(sql, params, many, context)


class _Broken(io.RawIOBase):
    def read(self, *_: Any) -> bytes:
        raise OSError("the peer has gone")


def test_who_breaks_off_has_told_nothing(secret: str) -> None:
    for body in (_Broken(), io.BytesIO(b"x" * 8)):
        assert _tell_raw(secret, body, CONTENT_LENGTH="9").status_code == 503
    assert kept() == []


def test_a_body_of_no_said_length_is_read_to_its_end(secret: str) -> None:
    """As some proxies pass it on: the server tells where it ends."""
    said = {"wsgi.input_terminated": True, "CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    assert _tell_raw(secret, io.BytesIO(BODY), **said).status_code == 202
    assert kept() == [BODY]


def test_of_who_is_not_heard_nothing_is_read(secret: str) -> None:
    assert _tell_raw("wrong", _Broken(), CONTENT_LENGTH="9").status_code == 401


def _tell_raw(secret: str, body: io.IOBase, **environ: Any) -> Answer:
    request = RequestFactory().generic("POST", "/api/v1/events/local", b"x", MEDIA_TYPE)
    return answer({**request.environ, "wsgi.input": body, "HTTP_AUTHORIZATION": f"Bearer {secret}", **environ})


def test_others_are_led_on(secret: str) -> None:
    """A look at the address, and where nothing stands before Django."""
    assert Client().get("/api/v1/events/local").status_code == 405
    said = {"Authorization": f"Bearer {secret}"}
    assert Client().post("/api/v1/events/local", BODY, MEDIA_TYPE, headers=said).status_code == 202
    with pytest.raises(AssertionError, match="led on"):
        answer(RequestFactory().get("/api/v1/events/local").environ)
