"""One POST to a webhook: signed, in time, to an address that is allowed, and no further."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils.translation import gettext_noop
from urllib3.exceptions import HTTPError

from notices.models import ANSWER_LENGTH, Notice, Subscription
from notices.payload import CONTENT_TYPE, cloud_event
from notices.signing import signed
from oci.adapters import Adapters
from oci.calls import CALL, call
from oci.endpoint import USER_AGENT, Endpoint
from oci.errors import BadAnswer, InvalidName, RegistryError, printable
from oci.faults import translate
from oci.retries import retry_after
from oci.tls import contexts
from oci.urls import Url

if TYPE_CHECKING:
    from requests import Response

CONNECT: Final = 3.0  # seconds
READ: Final = 5.0  # between two pieces of an answer
TOTAL: Final = 10.0
_BODY: Final = 1.0  # for what the log shows of it: an answer that drips is nobody's business
_GONE: Final = 410
_UNREADABLE: Final = gettext_noop("its address or its secret cannot be deciphered any more: give them again")
_REFUSED: Final = gettext_noop("it was answered with %(status)s")
_REDIRECTED: Final = gettext_noop("it was answered with %(status)s: redirects are not followed")
SENTENCES: Final = (
    _UNREADABLE,
    _REFUSED,
    _REDIRECTED,
    gettext_noop("http:// is only for addresses that BERTH_NOTICE_PRIVATE_TARGETS names"),
    gettext_noop("the address is not a public one, and BERTH_NOTICE_PRIVATE_TARGETS does not name it"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """How it went: with a `fault` it was not taken. `asked`: the seconds that it wants to be left alone."""

    fault: str = ""
    status: int | None = None
    answer: str = ""
    asked: float | None = None

    @property
    def is_gone(self) -> bool:
        """It wants nothing any more, ever."""
        return self.status == _GONE


def post(subscription: Subscription, notice: Notice) -> Told:
    """Never raises for what the other side does. Neither proxies of the environment nor redirects lead elsewhere."""
    body = cloud_event(notice)
    try:
        url = Url.parse(subscription.target)
        named = signed(subscription.secret, notice.source, int(time.time()), body)
    except (InvalidName, ValueError):
        return Told(_UNREADABLE)
    headers = {
        "Content-Type": f"{CONTENT_TYPE}; charset=utf-8",
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "identity",
        "Connection": "close",
        **named,
    }
    try:
        context, _ = contexts(Endpoint(str(url.origin), ca=subscription.ca or None, plain_http=True))
    except InvalidName as error:
        return Told(str(error))
    adapters = Adapters(url.origin, context, context, connections=1, read=READ)
    try:
        with call(connect=CONNECT, read=READ, total=TOTAL):
            CALL.barred = settings.NOTICE_PRIVATE_TARGETS.barred(url.origin)
            return _answered(adapters.send("POST", url, headers, body))
    except BadAnswer as error:
        return Told(str(error))
    except (HTTPError, HTTPException, OSError) as error:
        return Told(_why(url, error))
    finally:
        adapters.close()


def _answered(response: Response) -> Told:
    status = response.status_code
    try:
        answer = _beginning(response.raw)
    finally:
        response.close()
    if 200 <= status < 300:  # noqa: PLR2004  it took it
        return Told(status=status, answer=answer)
    sentence = _REDIRECTED if 300 <= status < 400 else _REFUSED  # noqa: PLR2004  what HTTP calls so
    return Told(sentence % {"status": status}, status, answer, retry_after(response.headers))


def _beginning(raw: Any) -> str:
    """Of the answer, as much as the log shows. The status has said it all: a body that fails changes nothing."""
    CALL.deadline = min(CALL.deadline, time.monotonic() + _BODY)
    try:
        content: bytes = raw.read(ANSWER_LENGTH, decode_content=False)
    except (HTTPError, HTTPException, OSError):
        return ""
    return printable(content.decode("utf-8", "replace"), ANSWER_LENGTH)


def _why(url: Url, error: Exception) -> str:
    found: RegistryError = translate(f"POST {url.origin}", error)
    return str(found)
