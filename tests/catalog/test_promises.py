from __future__ import annotations

import pytest

from catalog.promises import Kind, Promise, kind_of, promise_of


@pytest.mark.parametrize(
    ("kind", "tags"),
    [
        (
            Kind.VERSION,
            "1.4.2 v1.4.2 1.4.2.1 1.27.3-alpine3.19 3.13.1-slim-bookworm 1.4.0-rc.1 v2.0.0-beta.2 1.0.0_b.7 1.4.0rc1",
        ),
        (Kind.FLOAT, "1.4 1 v1 v1.4 3.13-slim 22-alpine 2026 24.04 0.14-cuda12 2026.11"),
        (
            Kind.DATE,
            "20261120 2026-11-20 2026.11.20 nightly-20261120 bookworm-20261120-slim 202611201530 20261120T1530Z",
        ),
        (Kind.COMMIT, "sha-8c1f20e 8c1f20e main-8c1f20e git-deadbeef 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"),
        (Kind.NEWEST, "latest stable lts edge nightly latest-alpine stable-slim"),
        (
            Kind.OTHER,
            "main bookworm-slim feature-login deadbeef 1234567 pr-12 v release 20261320 20260132 x1.4.2 1.4. 1..4",
        ),
    ],
)
def test_a_tag_is_what_its_name_says(kind: Kind, tags: str) -> None:
    assert {tag: kind_of(tag) for tag in tags.split()} == dict.fromkeys(tags.split(), kind)


@pytest.mark.parametrize(
    ("tag", "aliases", "follows", "today"),
    [
        ("1.4", "1.4.2 1 latest", "1.4.x", "1.4.2"),
        ("1", "1.4.2 1.4 latest", "1.x", "1.4.2"),
        ("v1.4", "v1.4.2 sha-8c1f20e", "v1.4.x", "v1.4.2"),
        ("v1", "1.4.2", "v1.x", "1.4.2"),
        ("3.13-slim", "3.13.1-slim 3.13.1-slim-bookworm", "3.13.x-slim", "3.13.1-slim"),
        ("1.4-alpine", "1.4.2 1.4.2-alpine", "1.4.x-alpine", "1.4.2-alpine"),
        ("1.4", "1.40.2", "1.4.x", "1.40.2"),  # it says at least what it is
        ("latest", "1 1.4 1.4.2 20261120", "", "1.4.2"),
        ("nightly", "nightly-20261119 main", "", "nightly-20261119"),
        ("main", "latest sha-8c1f20e", "", "sha-8c1f20e"),
        ("main", "latest 1.4", "", ""),
        ("latest", "", "", ""),
    ],
)
def test_a_tag_that_moves_says_what_it_names_today(tag: str, aliases: str, follows: str, today: str) -> None:
    promise = promise_of(tag, aliases.split())
    assert (promise.follows, promise.today, promise.stays) == (follows, today, False)


def test_a_tag_that_stays_needs_no_other_to_say_what_it_names() -> None:
    for tag, kind in (("1.4.2", Kind.VERSION), ("20261120", Kind.DATE), ("sha-8c1f20e", Kind.COMMIT)):
        promise = promise_of(tag, ["1.4.2", "latest", "1.4.3"])
        assert promise == Promise(tag, kind)
        assert promise.stays


def test_a_long_tag_is_read_at_once() -> None:
    for tag in ("1." * 64, "a-" * 64, "2026" * 32, "0" * 128, "v" + "1" * 127, "sha-" * 32):
        assert kind_of(tag[:128]) in {Kind.OTHER, Kind.NEWEST, Kind.COMMIT}
