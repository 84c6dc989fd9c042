from __future__ import annotations

import gzip
import socket
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from oci.client import RegistryClient
from oci.errors import BadAnswer, Refused, TooLarge, TooManyRequests, Unavailable, Unreachable
from oci.names import Digest, parse_repository
from oci.tls import InvalidAuthority
from oci.transport import Answer, Endpoint
from tests.certificates import SelfSigned
from tests.hostile import Hostile, Raw, Reply
from tests.oci.conftest import Connect
from tests.real_registry import RealRegistry, generations

PATH = "v2/a/tags/list"
WHERE = f"/{PATH}"
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
NO_HEADERS = {  # where a lenient reader would see the end of the headers, another header or another length
    "no colon": b"Content-Length: 5\r\nnonsense",
    "no name": b": x\r\nContent-Length: 5",
    "a space before the colon": b"Content-Length : 5",
    "a name of other letters": b"Content-L\xe4ngth: 5",
    "goes on from nothing": b" x\r\nContent-Length: 5",
    "NUL": b"Content-Length: 5\r\nA: b\0c",
    "a bare carriage return": b"Content-Length: 5\r\nA: b\rContent-Length: 6",
    "a negative length": b"Content-Length: -5",
    "a length with a sign": b"Content-Length: +5",
    "a length of other digits": "Content-Length: \u0665".encode(),
    "a length beyond all": b"Content-Length: 5" + b"0" * 5_000,
    "an empty length": b"Content-Length:",
    "a coding that nobody asked for": b"Transfer-Encoding: gzip, chunked",
    "many long headers": b"\r\n".join(b"A%d: " % i + b"b" * 3_000 for i in range(50)),
}
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def get(make: Connect, url: str, *, limit: int = 1000, method: str = "GET", **settings: Any) -> Answer:
    return make(url, **settings).transport.exchange(method, PATH, limit=limit)


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


# -- deadlines --------------------------------------------------------------------------------------------------

# A byte every 50 ms, which is never late and would take for ever, in each part that an answer has.
DRIPS: dict[str, Raw | Reply] = {
    "the status line": Raw(b"HTTP/1.1 200 " + b"O" * 900, pause=0.05),
    "a header": Raw(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 900, pause=0.05),
    "many headers": Raw(b"HTTP/1.1 200 OK\r\n" + b"A:\r\n" * 90, pause=0.05),
    "continuations": Raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 90, pause=0.05),
    "the body": Reply(200, b"x" * 900, pause=0.05),
    "the size of a chunk": Raw(CHUNKED + b"0" * 900, pause=0.05),
    "chunks": Raw(CHUNKED + b"1\r\nx\r\n" * 90, pause=0.05),
    "trailers": Raw(CHUNKED + b"0\r\n" + b"A:\r\n" * 90, pause=0.05),
    "a refusal": Reply(404, b"x" * 900, pause=0.05),
    "a redirect": Reply(307, b"x" * 900, {"Location": "/v2/b"}, pause=0.05),
}


@pytest.mark.parametrize("part", DRIPS)
def test_an_answer_that_drips_ends_at_the_total_deadline(part: str, hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, DRIPS[part])
    began = time.monotonic()

    with pytest.raises(Unreachable, match="the time for it is over"):
        get(connect, hostile.url, total=0.4)

    assert 0.3 < time.monotonic() - began < 4
    assert len(hostile.requests) == 1


def test_a_registry_that_says_nothing_is_left_after_the_read_deadline(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(delay=2))
    began = time.monotonic()

    with pytest.raises(Unreachable, match="no answer in time"):
        get(connect, hostile.url, read=0.2, attempts=1)

    assert time.monotonic() - began < 1.8


def test_a_registry_that_does_not_take_connections_is_left_after_the_connect_deadline(connect: Connect) -> None:
    began = time.monotonic()
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.settimeout(0)
            sock.connect_ex(full.getsockname())

        with pytest.raises(Unreachable, match="no answer in time"):
            get(connect, f"http://127.0.0.1:{full.getsockname()[1]}", connect=0.2, attempts=1)

        for sock in waiting:
            sock.close()
    assert time.monotonic() - began < 5


def test_an_upload_that_is_not_taken_ends_at_the_total_deadline(hostile: Hostile, connect: Connect) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(1)
        transport = connect(f"http://127.0.0.1:{deaf.getsockname()[1]}", total=0.4).transport
        began = time.monotonic()

        with pytest.raises(Unreachable, match="the time for it is over"):
            transport.exchange("PUT", "v2/x", body=b"x" * 50_000_000)

    assert time.monotonic() - began < 5


def test_an_upload_may_take_longer_than_a_connect(connect: Connect) -> None:
    body = b"x" * 20_000_000

    def take(listening: socket.socket) -> None:
        taker, _ = listening.accept()
        with taker, taker.makefile("rb") as stream:
            time.sleep(0.5)
            while stream.readline() != b"\r\n":
                pass
            stream.read(len(body))
            taker.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

    with socket.socket() as slow, ThreadPoolExecutor(1) as pool:
        slow.bind(("127.0.0.1", 0))
        slow.listen(1)
        pool.submit(take, slow)
        transport = connect(f"http://127.0.0.1:{slow.getsockname()[1]}", connect=0.2).transport

        assert transport.exchange("PUT", "v2/x", body=body, accept_statuses=(201,), attempts=1).status == 201


@pytest.mark.parametrize(("body", "length"), [(b"hello", "5"), (b"", "0"), (None, "0")])
def test_an_upload_says_how_long_it_is(body: bytes | None, length: str, hostile: Hostile, connect: Connect) -> None:
    hostile.on("PUT", WHERE, Reply(201))

    connect(hostile.url).transport.exchange("PUT", PATH, body=body, accept_statuses=(201,))

    (asked,) = hostile.requests
    assert (asked.headers["Content-Length"], asked.body) == (length, body or b"")
    assert "Transfer-Encoding" not in asked.headers


def test_a_slow_registry_does_not_keep_others_waiting(hostile: Hostile, other_host: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, DRIPS["the body"])
    other_host.on("GET", WHERE, Reply(200, b"quick"))

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(get, connect, hostile.url, total=0.4)
        assert get(connect, other_host.url).content == b"quick"
        assert not slow.done()
        assert isinstance(slow.exception(), Unreachable)


def test_nobody_there_is_unreachable(connect: Connect) -> None:
    with pytest.raises(Unreachable, match=r"^GET v2/a/tags/list: connection refused$"):
        get(connect, f"http://127.0.0.1:{closed_port()}", attempts=1)
    with pytest.raises(Unreachable, match="host name is not known"):
        get(connect, "http://registry.invalid", attempts=1, plain_http=True)


# -- caps -------------------------------------------------------------------------------------------------------


def test_an_answer_may_be_as_large_as_the_limit_and_no_larger(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(200, b"x" * 1000))

    assert len(get(connect, hostile.url, limit=1000).content) == 1000
    with pytest.raises(TooLarge, match="more than 999 bytes"):
        get(connect, hostile.url, limit=999)


def test_bytes_are_counted_as_they_come_and_not_as_announced(hostile: Hostile, connect: Connect) -> None:
    endless = b"".join(b"400\r\n" + b"x" * 1024 + b"\r\n" for _ in range(1000))
    hostile.on("GET", WHERE, Raw(CHUNKED + endless))

    with pytest.raises(TooLarge):
        get(connect, hostile.url, limit=10_000)


@pytest.mark.parametrize(
    ("coding", "bomb"),
    [
        ("gzip", gzip.compress(bytes(64 * 2**20))),
        ("deflate", zlib.compress(bytes(64 * 2**20))),
        ("gzip, gzip", gzip.compress(gzip.compress(bytes(64 * 2**20)))),
    ],
    ids=["gzip", "deflate", "gzip in gzip"],
)
def test_a_compressed_bomb_counts_as_what_it_unpacks_to(
    coding: str,
    bomb: bytes,
    hostile: Hostile,
    connect: Connect,
) -> None:
    import resource

    hostile.on("GET", WHERE, Reply(200, bomb, {"Content-Encoding": coding}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(TooLarge):
        get(connect, hostile.url, limit=1_000_000)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024  # KiB


def test_a_compressed_answer_is_unpacked(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(200, gzip.compress(b"hello"), {"Content-Encoding": "gzip"}))

    assert get(connect, hostile.url).content == b"hello"


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, b"not gzip", {"Content-Encoding": "gzip"}),
        Raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        Raw(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n"),
        Raw(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n"),
        Raw(b"HTTP/1.1 two hundred\r\n\r\n"),
        Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
        Raw(b"HTTP/1.1 200 OK\r\n\r\nhello"),
        *(Raw(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n\r\nhello") for headers in NO_HEADERS.values()),
        Raw(b"HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        Raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 9 + PLAIN + b"\r\nhello"),
    ],
    ids=[
        *("coding", "ssh", "200 headers", "a long header", "status", "two lengths", "no length"),
        *NO_HEADERS,
        *("another version", "interim answers alone"),
    ],
)
def test_what_is_no_sensible_http_is_a_bad_answer(answer: Reply | Raw, hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, answer)

    with pytest.raises(BadAnswer):
        get(connect, hostile.url)

    assert len(hostile.requests) == 1


@pytest.mark.parametrize(
    ("answer", "name", "expected"),
    [
        (PLAIN + b"X-It: a\r\n\r\nhello", "x-it", "a"),
        (PLAIN + b"X-It:a\r\nx-it: \t b \r\n\r\nhello", "X-IT", "a, b"),
        (PLAIN + b"X-It: a\r\n   b\r\n\tc\r\n\r\nhello", "X-It", "a b c"),
        (PLAIN + b"X-It: \xe4\x85\x0b\xa0b\r\n\r\nhello", "X-It", "\xe4\x85\x0b\xa0b"),
        (PLAIN + b"X-It:\r\n\r\nhello", "X-It", ""),
        ((PLAIN + b"X-It: a:b: c\r\n\r\n").replace(b"\r\n", b"\n") + b"hello", "X-It", "a:b: c"),
        (b"HTTP/1.1 103 Early Hints\r\nX-It: b\r\n\r\n" + PLAIN + b"X-It: a\r\n\r\nhello", "X-It", "a"),
        (b"HTTP/1.1 200\r\nX-It: a\r\nContent-Length: 5, 5\r\n\r\nhello", "X-It", "a"),
        (b"HTTP/1.0 200 OK\r\nX-It: a\r\nContent-Length: 5\r\n\r\nhello", "X-It", "a"),
        (PLAIN + b"Transfer-Encoding: Chunked\r\nX-It: a\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "X-It", "a"),
    ],
    ids=[
        *("plain", "twice", "folded", "latin-1", "empty", "bare line feeds", "after hints", "one length twice", "1.0"),
        "chunks and a length",
    ],
)
def test_headers_are_read_as_the_rfc_writes_them(
    answer: bytes, name: str, expected: str, hostile: Hostile, connect: Connect
) -> None:
    hostile.on("GET", WHERE, Raw(answer))

    given = get(connect, hostile.url)

    assert (given.content, given.headers[name]) == (b"hello", expected)


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, b"hello", announced=6),
        Reply(200, b"", announced=5),
        Raw(CHUNKED + b"5\r\nhello\r\n"),
        Raw(CHUNKED + b"5\r\nhel"),
    ],
)
def test_an_answer_that_is_cut_short_is_asked_for_again_and_never_taken(
    answer: Reply | Raw,
    hostile: Hostile,
    connect: Connect,
) -> None:
    hostile.on("GET", WHERE, answer)
    with pytest.raises(BadAnswer, match="ended before its end"):
        get(connect, hostile.url, attempts=2)
    assert len(hostile.requests) == 2

    hostile.on("GET", WHERE, answer, Reply(200, b"hello"))
    assert get(connect, hostile.url).content == b"hello"


# -- redirects --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_a_blob_is_followed(status: int, hostile: Hostile, other_host: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply.redirect(f"{other_host.url}/cdn?sig=a%2Fb", status))
    other_host.on("GET", "/cdn?sig=a%2Fb", Reply(200, b"hello"))

    assert get(connect, hostile.url).content == b"hello"


def test_redirects_in_a_circle_end(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply.redirect(WHERE))

    with pytest.raises(BadAnswer, match="redirected more than 5 times"):
        get(connect, hostile.url)

    assert len(hostile.requests) == 6


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_reading_follows_redirects(method: str, hostile: Hostile, other_host: Hostile, connect: Connect) -> None:
    hostile.on(method, WHERE, Reply.redirect(f"{other_host.url}/x"))

    with pytest.raises(BadAnswer, match="redirect"):
        get(connect, hostile.url, method=method)

    assert other_host.connections == 0
    assert len(hostile.requests) == 1


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/", "javascript:x", "", "http://a b/",
     "http://u:p@{other}/", "http://{other}\\@evil/", "http://[::1", "http://{other}/../x",
     "http://127.0.0.1:99999/"],
)  # fmt: skip
def test_a_redirect_to_what_is_no_web_address_is_not_followed(
    location: str,
    hostile: Hostile,
    other_host: Hostile,
    connect: Connect,
) -> None:
    hostile.on("GET", WHERE, Reply.redirect(location.format(other=f"127.0.0.1:{other_host.port}")))

    with pytest.raises(BadAnswer, match="web address"):
        get(connect, hostile.url)

    assert other_host.connections == 0


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "2852039166", "0xa9fea9fe", "[::ffff:169.254.169.254]", "0", "[fe80::1]"]
)
def test_a_redirect_cannot_reach_what_only_this_machine_can(host: str, hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply.redirect(f"http://{host}/latest/meta-data"))

    with pytest.raises(BadAnswer, match="no registry may be"):
        get(connect, hostile.url, connect=0.2)


def test_a_registry_elsewhere_cannot_redirect_to_our_loopback(
    hostile: Hostile,
    other_host: Hostile,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = socket.getaddrinfo

    def resolve(host: str, port: int | None, *args: Any, **kwargs: Any) -> Any:
        """The registry seems to be elsewhere, and the name that it redirects to turns out to be ours."""
        seems_public = host == "registry.test" and port is None
        return real("192.0.2.1" if seems_public else "127.0.0.1", port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    hostile.on("GET", WHERE, Reply.redirect(f"http://rebound.test:{other_host.port}/"))

    with pytest.raises(BadAnswer, match="only this machine can reach"):
        get(connect, f"http://registry.test:{hostile.port}", plain_http=True)

    assert other_host.connections == 0


def test_a_redirect_never_leaves_tls(tmp_path: Path, other_host: Hostile, connect: Connect) -> None:
    signed = SelfSigned.made(tmp_path)
    with Hostile(signed.files) as registry:
        registry.on("GET", WHERE, Reply.redirect(f"{other_host.url}/x"))

        with pytest.raises(BadAnswer, match="from https to plain http"):
            get(connect, registry.url, ca=signed.certificate.read_text())

    assert other_host.connections == 0


# -- refusals and retries ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_registry_is_asked_again_and_not_for_ever(status: int, hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(status), Reply(200, b"hello"))
    assert get(connect, hostile.url).content == b"hello"
    assert len(hostile.requests) == 2

    hostile.on("GET", WHERE, Reply(status))
    with pytest.raises((TooManyRequests, Unavailable)) as refusal:
        get(connect, hostile.url, attempts=2)
    assert refusal.value.answered == status
    assert len(hostile.requests) == 4


def test_a_connection_that_breaks_is_made_again(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Raw(b""), Raw(b"HTTP/1.1 200 OK\r\n"), Reply(200, b"hello"))

    assert get(connect, hostile.url).content == b"hello"


@pytest.mark.parametrize("status", [400, 403, 404, 405, 500, 501])
def test_other_refusals_are_final(status: int, hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(status))

    with pytest.raises(Refused):
        get(connect, hostile.url)

    assert len(hostile.requests) == 1


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_what_must_not_happen_twice_is_not_tried_twice(method: str, hostile: Hostile, connect: Connect) -> None:
    hostile.on(method, WHERE, Reply(503), Reply(200))

    with pytest.raises(Unavailable):
        get(connect, hostile.url, method=method)

    assert len(hostile.requests) == 1


def test_retry_after_is_honoured(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(429, headers={"Retry-After": "1"}), Reply(200, b"hello"))
    began = time.monotonic()

    assert get(connect, hostile.url).content == b"hello"

    assert time.monotonic() - began >= 1


@pytest.mark.parametrize(
    "told",
    [
        "30",
        "3600",
        pytest.param(format_datetime(datetime.now(UTC) + timedelta(hours=1)), id="in an hour"),
        "9" * 400,
    ],
)
def test_a_wait_that_is_too_long_is_told_and_not_waited_for(told: str, hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(429, headers={"Retry-After": told}))

    with pytest.raises(TooManyRequests) as refusal:
        get(connect, hostile.url)

    assert refusal.value.retry_after is not None
    assert refusal.value.retry_after >= 30
    assert len(hostile.requests) == 1


def test_no_retry_outlasts_the_total_deadline(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(503, headers={"Retry-After": "1"}))
    began = time.monotonic()

    with pytest.raises(Unavailable):
        get(connect, hostile.url, total=0.5, attempts=100)

    assert time.monotonic() - began < 0.9


@pytest.mark.parametrize("told", ["soon", "-1", "", "1e9", "\u0661"])
def test_a_retry_after_that_says_nothing_is_as_none(told: str, hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Raw(f"HTTP/1.1 503 Busy\r\nRetry-After: {told}\r\n\r\n".encode()), Reply(200, b"hello"))

    assert get(connect, hostile.url).content == b"hello"


@pytest.mark.parametrize("status", [201, 204, 206, 304, 399])
def test_an_answer_of_another_status_is_no_success(status: int, hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(status, b"hello"))

    with pytest.raises(BadAnswer, match=f"the status {status}"):
        get(connect, hostile.url)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"404 page not found",
        b"<html>" + b"x" * 1_000_000,
        b"[" * 50_000,
        b'"errors"',
        b'{"errors": {}}',
        b'{"errors": [1, null, {}, {"code": 5}, {"message": "x"}]}',
        b"\xff\xfe",
        b'{"errors": [{"code": "' + b"A" * 100_000 + b'"}]}',
    ],
)
def test_a_refusal_without_the_spec_s_reasons_has_none(body: bytes, hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(403, body))

    with pytest.raises(Refused, match=r"^GET v2/a/tags/list was refused with 403: no reason given$") as refusal:
        get(connect, hostile.url)

    assert refusal.value.reasons == ()


def test_reasons_are_short_and_without_control_characters(hostile: Hostile, connect: Connect) -> None:
    reason = {"code": "DENIED\x1b[31m", "message": "a\x00\r\nb\u202e\ud800" + "c" * 5_000, "detail": {"x": 1}}
    hostile.on("GET", WHERE, Reply.json({"errors": [reason] * 10}, 403))

    with pytest.raises(Refused) as refusal:
        get(connect, hostile.url)

    assert len(refusal.value.reasons) == 5
    assert refusal.value.reasons[0].code == "DENIED[31m"
    assert refusal.value.reasons[0].message.startswith("a  bccc")
    assert len(str(refusal.value)) < 1500
    assert str(refusal.value).isprintable()


# -- connections ------------------------------------------------------------------------------------------------


def test_a_registry_that_closes_connections_without_a_word_is_asked_on_another(
    hostile: Hostile, connect: Connect
) -> None:
    hostile.on("GET", WHERE, Raw(PLAIN + b"\r\nhello"))
    hostile.on("POST", WHERE, Reply(200, b"done"))
    transport = connect(hostile.url).transport

    for method, content in (("GET", b"hello"), ("GET", b"hello"), ("POST", b"done")):
        assert transport.exchange(method, PATH).content == content
        time.sleep(0.01)  # until its end has come


def test_a_connection_is_used_again(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(200, b"hello"))
    hostile.on("HEAD", WHERE, Reply(200, b"hello"))
    transport = connect(hostile.url).transport

    for method in ("GET", "HEAD", "GET", "HEAD", "GET"):
        transport.exchange(method, PATH)
    with pytest.raises(Refused):
        transport.exchange("GET", "v2/absent")
    transport.exchange("GET", PATH)

    assert hostile.connections == 1


def test_a_registry_that_leads_everywhere_keeps_its_own_connection(hostile: Hostile, connect: Connect) -> None:
    transport = connect(hostile.url).transport
    with ExitStack() as stack:
        for host in [stack.enter_context(Hostile()) for _ in range(9)]:
            hostile.on("GET", WHERE, Reply.redirect(f"{host.url}/cdn"))
            host.on("GET", "/cdn", Reply(200, b"hello"))
            assert transport.exchange("GET", PATH).content == b"hello"

    assert hostile.connections == 1


def test_what_is_left_of_an_answer_is_not_taken_for_the_next(hostile: Hostile, connect: Connect) -> None:
    dripping, large = Reply(200, b"x" * 100, pause=0.02), Reply(404, b"x" * 100_000)
    hostile.on("GET", WHERE, dripping, Reply(200, b"hello"), large, Reply(200, b"hello"))
    transport = connect(hostile.url).transport

    with pytest.raises(TooLarge):
        transport.exchange("GET", PATH, limit=10)
    assert transport.exchange("GET", PATH).content == b"hello"
    with pytest.raises(Refused):
        transport.exchange("GET", PATH)

    assert transport.exchange("GET", PATH).content == b"hello"


def test_many_threads_share_a_client(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", "/v2/a/blobs/x", Reply(404))
    client = connect(hostile.url)
    contents = [str(number).encode() for number in range(200)]
    for content in contents:
        hostile.on("GET", f"/v2/a/blobs/{Digest.of(content)}", Reply(200, content))

    with ThreadPoolExecutor(16) as pool:
        read = pool.map(lambda c: client.blob(parse_repository("a"), Digest.of(c), limit=10), contents)
        assert list(read) == contents

    assert hostile.connections <= 16


def test_neither_proxies_nor_netrc_of_the_environment_are_used(
    hostile: Hostile,
    other_host: Hostile,
    connect: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login alice password canary")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, other_host.url)
    hostile.on("GET", WHERE, Reply(200, b"hello"))

    assert get(connect, hostile.url).content == b"hello"

    assert other_host.connections == 0
    assert "Authorization" not in hostile.requests[0].headers


def test_cookies_are_not_kept(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(200, b"hello", {"Set-Cookie": "a=b"}))
    client = connect(hostile.url)

    client.transport.exchange("GET", PATH)
    client.transport.exchange("GET", PATH)

    assert "Cookie" not in hostile.requests[1].headers


# -- TLS --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("generation", generations())
def test_a_registry_with_a_certificate_of_its_own_is_trusted_when_told(
    generation: str,
    tmp_path: Path,
    connect: Connect,
) -> None:
    signed = SelfSigned.made(tmp_path)
    with RealRegistry(tmp_path / "registry", generation, tls=signed.files) as registry:
        for ca in (signed.certificate.read_text(), str(signed.certificate)):
            assert connect(registry.url, ca=ca).ping().api_version == "registry/2.0"

        with pytest.raises(Unreachable, match=r"no trusted TLS connection: self.signed certificate"):
            connect(registry.url, attempts=1).ping()


def test_a_certificate_for_another_host_is_not_trusted(tmp_path: Path, connect: Connect) -> None:
    signed = SelfSigned.made(tmp_path, address="192.0.2.1")
    with Hostile(signed.files) as registry:
        with pytest.raises(Unreachable, match=r"no trusted TLS connection.*127\.0\.0\.1"):
            connect(registry.url, ca=signed.certificate.read_text(), attempts=1).ping()
        assert registry.requests == []


def test_an_authority_may_say_whose_it_is_in_any_language(tmp_path: Path, connect: Connect) -> None:
    signed = SelfSigned.made(tmp_path)
    text = f"# Zertifizierungsstelle für Würzburg\n{signed.certificate.read_text()}"
    (tmp_path / "ca.pem").write_text(text)
    with Hostile(signed.files) as registry:
        registry.on("GET", "/v2/", Reply.json({}))
        for ca in (text, str(tmp_path / "ca.pem")):
            assert connect(registry.url, ca=ca).ping().generation is None


@pytest.mark.parametrize(
    ("ca", "said"),
    [
        (
            "{folder}/gone.pem",
            "the file {folder}/gone.pem of the certificate authority cannot be used, as it is not there",
        ),
        ("{folder}", "the file {folder} of .*, as something else stands where a file should be"),
        ("{folder}/words", "the file {folder}/words of .*, as it holds no certificate in PEM form"),
        ("{folder}/words/x", "the file {folder}/words/x of .*, as it is not there"),
        ("{folder}/large", "the file {folder}/large of .*, as it has more than 1048576 bytes"),
        ("a\0b", "the file ab of .*, as it is not there"),
        ("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----", "the text of .* no certificate in PEM form"),
        ("# für\n-----BEGIN CERTIFICATE-----", "the text of .* no certificate in PEM form"),
    ],
)
def test_an_authority_that_cannot_be_read_is_told_at_once(ca: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "words").write_text("Zürich")
    (tmp_path / "empty").touch()
    (tmp_path / "large").write_bytes(bytes(2**20 + 1))

    with pytest.raises(InvalidAuthority, match=f"{said.format(folder=tmp_path)}.*: give the text or the path"):
        RegistryClient(Endpoint("https://registry.test", ca=ca.format(folder=tmp_path)))


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "::ffff:169.254.169.254"])  # noqa: S104
def test_a_name_that_leads_to_cloud_metadata_is_not_called(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    answer = [(family, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)

    with pytest.raises(BadAnswer, match="no registry may be"):
        connect("https://registry.example.org").ping()
