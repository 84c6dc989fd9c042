"""A person who is signed in and looks at one page after another, and how long each takes."""

from __future__ import annotations

import http.client
import math
import re
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from typing import Final
from urllib.parse import urlencode

from registry_ui.bench.errors import BenchError
from registry_ui.bench.site import Site

_PAUSE: Final = 0.01  # seconds between two pages
_WARM_UP: Final = 4  # rounds, each on a connection of its own, so that every worker has seen every page
_TIMEOUT: Final = 30.0
_SHARE: Final = 0.95


def p95(seconds: Iterable[float]) -> float:
    """The time within which 95 of 100 came."""
    ordered = sorted(seconds)
    return ordered[math.ceil(_SHARE * len(ordered)) - 1]


def pages(repository: str, tag: str, registry: str) -> dict[str, str]:
    """The paths of the pages by what each shows; {job} is the number of a job."""
    here = f"/r/{registry}"
    return {
        "registry list": "/registries",
        "repository list": "/",
        "repository list of a registry": here,
        "repository search": f"{here}?{urlencode({'q': repository.rpartition('/')[2][:5]})}",
        "repository": f"{here}/{repository}",
        "tag search": f"{here}/{repository}?{urlencode({'q': '1.'})}",
        "image": f"{here}/{repository}/-/tags/{tag}",
        "registry": f"/registries/{registry}",
        "scans": f"/registries/{registry}/scans",
        "scan": f"/registries/{registry}/scans/1",
        "jobs": "/jobs",
        "job": "/jobs/{job}",
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is as it was sent: compressed, where that pays."""

    seconds: float
    headers: Message
    body: bytes


class Reader:
    def __init__(self, site: Site, name: str, password: str) -> None:
        self._port = site.port
        self._cookies: dict[str, str] = {}
        self._sign_in(name, password)

    def warm_up(self, paths: Mapping[str, str], job: int) -> None:
        rounds = iter(range(_WARM_UP * len(paths)))
        self.look(paths, job, lambda: next(rounds, None) is not None)

    def look(self, paths: Mapping[str, str], job: int, go_on: Callable[[], bool]) -> dict[str, list[float]]:
        """Ask for all pages in turn as long as `go_on()`; the seconds of each, by its name."""
        took: dict[str, list[float]] = {name: [] for name in paths}
        while True:
            with self.connected() as connection:
                for name, path in paths.items():
                    if not go_on():
                        return took
                    took[name].append(self.ask(connection, path.format(job=job)).seconds)
                    time.sleep(_PAUSE)

    def connected(self) -> closing[http.client.HTTPConnection]:
        """A connection for `ask`; it is closed at the end of the block."""
        return closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT))

    def ask(self, connection: http.client.HTTPConnection, path: str) -> Answer:
        """What is at `path`, be it nothing new; BenchError where that is no page."""
        began = time.perf_counter()
        connection.request("GET", path, headers=self._headers())
        answer = connection.getresponse()
        body = answer.read()
        seconds = time.perf_counter() - began
        if answer.status not in {http.client.OK, http.client.NO_CONTENT}:
            raise BenchError(f"The page {path} answers {answer.status}.")
        return Answer(seconds, answer.headers, body)

    def _sign_in(self, name: str, password: str) -> None:
        path = "/sign-in"
        with self.connected() as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            page = answer.read().decode()
            self._keep(answer)
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
            form = {"username": name, "password": password, "csrfmiddlewaretoken": token[1] if token else ""}
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", path, urlencode(form), {**self._headers(), **kind})
            answer = connection.getresponse()
            answer.read()
            self._keep(answer)
        if answer.status != http.client.FOUND:
            raise BenchError(f"Nobody can sign in: the answer is {answer.status}.")

    def _keep(self, answer: http.client.HTTPResponse) -> None:
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name] = value

    def _headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return {"Cookie": cookies, "Accept-Encoding": "gzip"}
