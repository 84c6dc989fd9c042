"""Tags as real repositories have them: which build they point to, and which builds they pointed to before."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

LAST_BUILD: Final = datetime.fromisoformat("2026-11-20T00:00:00+00:00")
_LONGEST: Final = 1000  # days for which a repository was built
_V_SHARE: Final = 0.3  # of repositories whose releases have a `v` as well


class Style(StrEnum):
    SERVICE = "service"  # each commit is built, some are released
    LIBRARY = "library"  # releases, each in several flavours
    NIGHTLY = "nightly"
    CHART = "chart"
    ARTIFACT = "artifact"


@dataclass(slots=True)
class Build:
    """What one run of a pipeline pushed; `tags` are its own, which never move."""

    at: datetime
    tags: list[str]
    flavour: str = ""
    version: str = ""


@dataclass(slots=True)
class History:
    """`floats`: the builds that a tag pointed to, in order; the last is where it points now."""

    builds: list[Build] = field(default_factory=list)
    floats: dict[str, list[int]] = field(default_factory=dict)

    @property
    def tag_count(self) -> int:
        return sum(len(build.tags) for build in self.builds) + len(self.floats)


def history_of(chance: random.Random, style: Style, tags: int) -> History:
    """A repository that has come to `tags` tags."""
    history, taken, count = History(), set[str](), 0
    with_v = chance.random() < _V_SHARE
    for build, floats in _STYLES[style](chance, with_v=with_v):
        build.tags = list(dict.fromkeys(tag for tag in build.tags if tag not in taken))[: tags - count]
        if not build.tags:
            if count >= tags:
                break
            continue
        taken.update(build.tags)
        count += len(build.tags)
        history.builds.append(build)
        for name in floats:
            if name in history.floats:
                history.floats[name].append(len(history.builds) - 1)
            elif count < tags and name not in taken:
                taken.add(name)
                history.floats[name] = [len(history.builds) - 1]
                count += 1
    _date(chance, history.builds)
    return history


def _date(chance: random.Random, builds: list[Build]) -> None:
    """From the first to the last in even steps, more or less; some repositories were left years ago."""
    newest = LAST_BUILD - timedelta(days=chance.expovariate(1 / 60))
    days = chance.uniform(1, _LONGEST)
    for number, build in enumerate(builds):
        back = days * (1 - (number + chance.random()) / len(builds))
        build.at = (newest - timedelta(days=back)).replace(microsecond=0)


Made = Iterator[tuple[Build, list[str]]]  # each build, and the floats that point to it from then on


def _service(chance: random.Random, *, with_v: bool) -> Made:
    major, minor, patch, pull = 0, 1, 0, chance.randrange(3000)
    while True:
        commit = f"{chance.getrandbits(28):07x}"
        what = chance.random()
        if what < 0.2:  # noqa: PLR2004
            pull += 1
            yield _build([f"pr-{pull}", f"sha-{commit}"]), []
        elif what < 0.7:  # noqa: PLR2004
            build = _build([f"sha-{commit}", f"main-{commit}", f"build-{chance.randrange(10**6)}"])
            yield build, ["main", "edge"] if chance.random() < 0.9 else [f"feature-{chance.choice(_BRANCHES)}"]  # noqa: PLR2004
        else:
            major, minor, patch = _next(chance, major, minor, patch)
            version = f"{major}.{minor}.{patch}"
            if patch == 0:
                early = f"{version}-rc.{chance.randrange(1, 4)}"
                yield _build([early, f"sha-{chance.getrandbits(28):07x}"], version=early), []
            tags = [version, f"sha-{commit}", f"{version}-{commit}", *([f"v{version}"] if with_v else [])]
            yield _build(tags, version=version), [f"{major}.{minor}", str(major), "latest", "stable"]


def _library(chance: random.Random, *, with_v: bool) -> Made:
    major, minor, patch = chance.randrange(1, 4), 0, 0
    while True:
        major, minor, patch = _next(chance, major, minor, patch)
        version = f"{major}.{minor}.{patch}"
        for flavour in ("", "alpine", "slim"):
            ending = f"-{flavour}" if flavour else ""
            tags = [f"{version}{ending}"]
            if flavour:
                tags.append(
                    f"{version}{ending}3.{15 + minor % 7}" if flavour == "alpine" else f"{version}{ending}-bookworm"
                )
            if not flavour:
                tags += [f"{version}-bookworm", *([f"v{version}"] if with_v else [])]
            floats = [f"{major}.{minor}{ending}", f"{major}{ending}", flavour or "latest"]
            yield _build(tags, flavour=flavour, version=version), floats


def _nightly(chance: random.Random, *, with_v: bool) -> Made:
    day = LAST_BUILD - timedelta(days=20_000)
    while True:
        day += timedelta(days=1)
        commit = f"{chance.getrandbits(28):07x}"
        tags = [f"{day:%Y%m%d}", f"nightly-{day:%Y-%m-%d}", f"{day:%Y.%m.%d}-{commit}"]
        yield _build(tags, version=f"{day:%Y.%m.%d}"), ["nightly", "latest", *(["v0"] if with_v else [])]


def _plain(chance: random.Random, *, with_v: bool) -> Made:
    """Charts and artifacts: one tag for a version."""
    major, minor, patch = 0, 1, 0
    while True:
        major, minor, patch = _next(chance, major, minor, patch)
        version = f"{major}.{minor}.{patch}"
        yield _build([f"v{version}" if with_v else version], version=version), []


_BRANCHES: Final = ("login", "checkout", "dark-mode", "new-index", "otel", "upgrade-deps", "retry", "batching")
_STYLES: Final[dict[Style, Callable[..., Made]]] = {
    Style.SERVICE: _service,
    Style.LIBRARY: _library,
    Style.NIGHTLY: _nightly,
    Style.CHART: _plain,
    Style.ARTIFACT: _plain,
}


def _next(chance: random.Random, major: int, minor: int, patch: int) -> tuple[int, int, int]:
    what = chance.random()
    if what < 0.03:  # noqa: PLR2004
        return major + 1, 0, 0
    return (major, minor + 1, 0) if what < 0.3 else (major, minor, patch + 1)  # noqa: PLR2004


def _build(tags: list[str], flavour: str = "", version: str = "") -> Build:
    return Build(LAST_BUILD, tags, flavour, version)
