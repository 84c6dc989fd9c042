from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oci.errors import InvalidName
from oci.names import Digest, Reference, parse_repository, parse_tag

HEX = hashlib.sha256(b"").hexdigest()
DIGEST = f"sha256:{HEX}"

REPOSITORIES = ["a", "a/b/c", "a.b", "a_b", "a__b", "a-b", "a---b", "0", "a1/b2", "a" * 255, "docker.io/a"]
NO_REPOSITORIES = [
    "", "/", "/a", "a/", "a//b", "A", "a/B", ".a", "a.", "a..b", "a._b", "a___b", "-a", "a-", "_a", "a b", "a\n",
    "\na",
    "a:b", "a@b", "a?b", "a#b", "a%2e", "..", "a/..", "a/../b", "a\\b", "ä", "\u0430pple", "\uff41", "a\x00",
    "a" * 256,
    "a/" * 127 + "ab", "\u0661",
]  # fmt: skip
TAGS = ["a", "A", "_", "1.0", "1.0-rc.1", "latest", "a" * 128, "_.-"]
NO_TAGS = ["", ".a", "-a", "a" * 129, "a b", "a/b", "a:b", "a+b", "a\n", "ä", "..", "\u0663", "a\x00"]


@pytest.mark.parametrize("text", REPOSITORIES)
def test_a_repository_is_what_the_spec_says(text: str) -> None:
    assert parse_repository(text) == text


@pytest.mark.parametrize("text", NO_REPOSITORIES)
def test_what_is_no_repository_is_refused(text: str) -> None:
    with pytest.raises(InvalidName) as error:
        parse_repository(text)

    assert (error.value.kind, error.value.text, error.value.code) == ("repository", text, "invalid-name")


@pytest.mark.parametrize("text", TAGS)
def test_a_tag_is_what_the_spec_says(text: str) -> None:
    assert parse_tag(text) == text


@pytest.mark.parametrize("text", NO_TAGS)
def test_what_is_no_tag_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        parse_tag(text)


@pytest.mark.parametrize(
    "text",
    ["", HEX, "sha256:", f"sha256:{HEX.upper()}", f"SHA256:{HEX}", f"sha256:{HEX[1:]}", f"sha256:{HEX}0",
     f"md5:{HEX[:32]}",
     "sha256:../../x", f"sha256:{'g' * 64}", f"sha512:{HEX}", f"sha256:{HEX}\n", f" sha256:{HEX}",
     f"sha384:{'0' * 96}"],
)  # fmt: skip
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        Digest.parse(text)


def test_a_digest_cannot_be_made_of_nonsense_either() -> None:
    with pytest.raises(InvalidName):
        Digest("sha256", "../../x")


@given(st.binary())
def test_a_digest_reads_back_and_knows_its_content(content: bytes) -> None:
    digest = Digest.of(content)
    longer = Digest("sha512", hashlib.sha512(content).hexdigest())

    assert Digest.parse(str(digest)) == digest
    assert digest.matches(content)
    assert longer.matches(content)
    assert not digest.matches(content + b"x")
    assert digest.short == digest.hex[:12]


def test_digests_can_be_sorted_and_be_keys() -> None:
    a, b = Digest("sha256", "0" * 64), Digest("sha256", "1" * 64)

    assert sorted({b, a}) == [a, b]


REFERENCES = [
    # typed, full, as docker prints it
    ("golang", "docker.io/library/golang:latest", "golang:latest"),
    ("golang:1.22", "docker.io/library/golang:1.22", "golang:1.22"),
    ("team/app", "docker.io/team/app:latest", "team/app:latest"),
    ("library/golang", "docker.io/library/golang:latest", "golang:latest"),
    ("docker.io/golang", "docker.io/library/golang:latest", "golang:latest"),
    ("index.docker.io/golang", "docker.io/library/golang:latest", "golang:latest"),
    ("docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"),
    ("localhost", "docker.io/library/localhost:latest", "localhost:latest"),
    ("localhost/a", "localhost/a:latest", "localhost/a:latest"),
    ("localhost:5000/a", "localhost:5000/a:latest", "localhost:5000/a:latest"),
    ("localhost:5000", "docker.io/library/localhost:5000", "localhost:5000"),
    ("host:5000/a:1", "host:5000/a:1", "host:5000/a:1"),
    ("host/a", "docker.io/host/a:latest", "host/a:latest"),
    ("ghcr.io/a/b:1", "ghcr.io/a/b:1", "ghcr.io/a/b:1"),
    ("GHCR.io/a", "GHCR.io/a:latest", "GHCR.io/a:latest"),
    ("Host/a", "Host/a:latest", "Host/a:latest"),
    ("127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b:latest", "127.0.0.1:5000/a/b:latest"),
    ("[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest"),
    ("[2001:db8::1]/a:x", "[2001:db8::1]/a:x", "[2001:db8::1]/a:x"),
    (f"golang@{DIGEST}", f"docker.io/library/golang@{DIGEST}", f"golang@{DIGEST}"),
    (f"golang:1@{DIGEST}", f"docker.io/library/golang:1@{DIGEST}", f"golang:1@{DIGEST}"),
    (f"host:5000/a:1@{DIGEST}", f"host:5000/a:1@{DIGEST}", f"host:5000/a:1@{DIGEST}"),
]
NO_REFERENCES = [
    "", "/", ":", "@", "a:", "a@", ":a", "@a", "a:b:c", "a/b:c/d", "Golang", "docker.io/A", "a b", " a", "a ",
    "a\n", "a@sha256:x",
    f"a@{DIGEST}@{DIGEST}", f"a@{DIGEST}:b", "https://a.b/c", "//a", "a//b", "-host.io/a", "host-.io/a",
    "a..b/c", "[::1/a", "ä/b.c",
    "localhost:port/a", "localhost:/a", f"host/{'a' * 256}", HEX, "a:" + "b" * 129, "a.b/", "..", "../a",
    "a.b/../c",
    f"a@sha256:{HEX.upper()}", "user@host.io/a",
]  # fmt: skip


@pytest.mark.parametrize(("typed", "full", "familiar"), REFERENCES)
def test_a_reference_means_what_docker_means_by_it(typed: str, full: str, familiar: str) -> None:
    reference = Reference.parse(typed)

    assert str(reference) == full
    assert reference.familiar == familiar
    assert Reference.parse(full) == reference


@pytest.mark.parametrize("typed", NO_REFERENCES)
def test_what_docker_would_not_take_is_refused(typed: str) -> None:
    with pytest.raises(InvalidName) as error:
        Reference.parse(typed)

    assert error.value.kind == "reference"


def test_the_parts_of_a_reference_can_be_asked_for() -> None:
    reference = Reference.parse(f"localhost:5000/team/app:1.0@{DIGEST}")

    assert reference == Reference(
        "localhost:5000",
        parse_repository("team/app"),
        parse_tag("1.0"),
        Digest.parse(DIGEST),
    )
    assert Reference.parse(f"a@{DIGEST}").tag is None


@pytest.mark.parametrize(
    ("registry", "repository", "tag"),
    [
        ("host", "a", "b"),
        ("", "a", "b"),
        ("a.b/c", "a", "b"),
        ("a.b", "..", "b"),
        ("a.b", "a", "c d"),
        ("a.b", "a", None),
    ],
)
def test_a_reference_cannot_be_made_of_nonsense_either(registry: str, repository: str, tag: str | None) -> None:
    with pytest.raises(InvalidName):
        Reference(registry, repository, tag)  # type: ignore[arg-type]


@given(st.text() | st.from_regex(r"[a-zA-Z.:/@\[\]0-9_-]{1,40}", fullmatch=True))
def test_whatever_is_typed_is_a_reference_that_reads_back_or_is_refused(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except InvalidName:
        return

    assert Reference.parse(str(reference)) == reference


@given(st.text())
def test_an_error_repeats_little_of_a_name_and_nothing_unprintable(text: str) -> None:
    shown = str(InvalidName("repository", text * 50))

    assert shown.isprintable()
    assert shown.endswith(" is not a valid repository")
    assert shown.count("x") <= 80 or "x" not in text
