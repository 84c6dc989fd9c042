from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sync.choosing import Choice, choose
from sync.details import Details
from sync.importing.document import Expected, NotImported
from sync.importing.imported import Code, Imported, Remark, Source
from sync.importing.skopeo import read_skopeo

DIGEST = f"sha256:{'8c1f20e0' * 8}"

# In the form of the example in skopeo-sync(1).
EXAMPLE = rf"""
registry.example.com:
    images:
        busybox: []
        redis:
            - 1.10
            - "2.0"
            - "{DIGEST}"
        pinned: ["{DIGEST}"]
    images-by-tag-regex:
        nginx: ^1\.13\.[12]-alpine-perl$
    images-by-semver:
        alpine: ">= 3.12.0"
    credentials:
        username: john
        password: this is a secret
    tls-verify: true
    cert-dir: /home/john/certs
quay.io:
    tls-verify: false
    images:
        coreos/etcd:
            - latest
docker.io:
    images:
        golang:
"""


def imported(text: str) -> Imported:
    return read_skopeo(text, target="main")


def of(by: str, said: str) -> Imported:
    return imported(f"a.example:\n  {by}:\n    some/app: {said}")


def codes(found: Imported) -> Sequence[tuple[str, Code]]:
    """Without the last, which every file has."""
    *some, last = [(remark.where, remark.code) for remark in found.remarks]
    assert last == ("", Code.COMMAND_LINE)
    return some


def kept(found: Imported, *tags: str) -> set[str]:
    (details,) = found.details
    return {verdict.tag for verdict in choose(details.choice, tags) if verdict.is_in}


def test_the_documented_form_is_taken_over() -> None:
    found = read_skopeo(EXAMPLE, target="main", into="mirror/{name}")

    by_name = {details.name: details for details in found.details}
    assert list(by_name) == ["busybox", "redis", "pinned", "nginx", "alpine", "coreos-etcd", "golang"]
    assert by_name["busybox"] == Details(
        name="busybox",
        source="registry.example.com",
        repositories=("busybox",),
        target="main",
        into="mirror/{name}",
    )
    assert by_name["redis"].choice == Choice(allow=("1.10", "2.0"))
    assert by_name["redis"].pins == (DIGEST,)
    assert (by_name["pinned"].choice, by_name["pinned"].pins) == (Choice(deny=("*",)), (DIGEST,))
    assert by_name["nginx"].choice == Choice(allow=(r"/1\.13\.[12]-alpine-perl/",))
    assert by_name["alpine"].choice == Choice(ranges=(">= 3.12.0",), deny=("*-*", "*_*"))
    assert by_name["coreos-etcd"].choice == Choice(allow=("latest",))
    assert (by_name["golang"].source, by_name["golang"].repositories) == ("docker.io", ("library/golang",))
    assert found.sources == (
        Source("registry.example.com", "https://registry.example.com", "john", "this is a secret", says_tls=True),
        Source("quay.io", "https://quay.io"),
        Source("docker.io", "https://registry-1.docker.io"),
    )
    assert "secret" not in repr(found)
    assert codes(found) == [
        ("registry.example.com.cert-dir", Code.CERTIFICATE),
        ("registry.example.com.images-by-semver.alpine", Code.FLAVOURS),
        ("quay.io.tls-verify", Code.INSECURE),
    ]
    assert found.remarks[0] == Remark("registry.example.com.cert-dir", 18, Code.CERTIFICATE)


def test_a_tag_is_what_was_written_and_no_number() -> None:
    assert kept(of("images", "[1.10, 1_0, 0x1, 2024-01-15, yes]"), "1.10", "1.1", "1_0", "10", "2024-01-15", "yes") == {
        *("1.10", "1_0", "2024-01-15", "yes"),
    }


@pytest.mark.parametrize(
    ("expression", "tags"),
    [
        ("alpine", "1-alpine alpine alpine3"),
        ("^1", "1-alpine 1.2"),
        ("alpine$", "1-alpine alpine"),
        ("^alpine$", "alpine"),
        ("^1|3$", "1-alpine 1.2 alpine3 2.3"),
        (r"^\d+\.\d+$", "1.2 2.3"),
        (r"^(1\.2|2\.3)$", "1.2 2.3"),
        ("(?i)ALPINE3", "alpine3"),
        (r"^2\.\$", ""),
        ("", "1-alpine alpine alpine3 1.2 2.3"),
    ],
)
def test_an_expression_is_looked_for_anywhere_in_a_tag(expression: str, tags: str) -> None:
    found = of("images-by-tag-regex", f"'{expression}'")

    assert kept(found, "1-alpine", "alpine", "alpine3", "1.2", "2.3") == set(tags.split())


@pytest.mark.parametrize(
    ("text", "tags", "remarks"),
    [
        (">=1.2", "1.2 1.10.0 2.0.0", [Code.FLAVOURS]),
        ("<2", "1.2 1.10.0", [Code.FLAVOURS]),
        ("~1.10", "1.10.0", [Code.FLAVOURS]),
        (">=1.2, !=1.10.x", "1.2 2.0.0", [Code.FLAVOURS]),
        ("1.2 - 1.9 || 2.x", "1.2 2.0.0", [Code.FLAVOURS]),
        (">=1.10.0-0", "1.10.0 1.10.0-alpine 2.0.0 2.1-rc1", [Code.PRE_RELEASES]),
        (">=1.10.0-rc.1", "1.10.0 1.10.0-alpine 2.0.0 2.1-rc1", [Code.BOUND, Code.PRE_RELEASES]),
    ],
)
def test_a_range_holds_pre_releases_where_a_bound_has_a_suffix(text: str, tags: str, remarks: list[Code]) -> None:
    found = of("images-by-semver", f"'{text}'")

    assert kept(found, "1.2", "1.10.0", "1.10.0-alpine", "1.2_x", "2.0.0", "2.1-rc1", "latest") == set(tags.split())
    assert [code for _, code in codes(found)] == remarks


@pytest.mark.parametrize(
    ("by", "said", "code"),
    [
        ("images-by-tag-regex", "(", Code.PATTERN),
        ("images-by-tag-regex", r"(a)\1", Code.PATTERN),
        ("images-by-tag-regex", "^$", Code.PATTERN),
        ("images-by-semver", "newest", Code.RANGE),
    ],
)
def test_a_rule_whose_tags_we_cannot_choose_is_left_out(by: str, said: str, code: Code) -> None:
    found = of(by, f"'{said}'")

    assert found.details == ()
    assert (f"a.example.{by}.some/app", code) in codes(found)


def test_a_registry_may_be_followed_by_the_beginning_of_a_path() -> None:
    found = imported(
        """
        a.example:5000/team: {images: {app: [v1]}, credentials: {username: john, password: pass}}
        a.example:5000: {images: {team/app: [v2]}}
        unqualified: {images: {app: []}}
        """
    )

    assert [(details.name, details.source, details.repositories) for details in found.details] == [
        ("team-app", "a.example:5000", ("team/app",)),
        ("team-app-2", "a.example:5000", ("team/app",)),
        ("unqualified-app", "docker.io", ("unqualified/app",)),  # as skopeo reads it
    ]
    assert found.sources[0] == Source("a.example:5000", "https://a.example:5000", "john", "pass")


def test_what_nobody_knows_is_said() -> None:
    found = imported("a.example: {images: {}, mirror: true, credentials: {username: john, identitytoken: T}, x-own: 1}")

    assert codes(found) == [
        ("a.example.mirror", Code.UNKNOWN),
        ("a.example.credentials.identitytoken", Code.UNKNOWN),
    ]


@pytest.mark.parametrize(
    ("text", "expected", "line", "where"),
    [
        ("- a", Expected.MAPPING, 1, ""),
        ("a.example: [b]", Expected.MAPPING, 1, "a.example"),
        ("a.example:\n  images: [b]", Expected.MAPPING, 2, "a.example.images"),
        ("a.example:\n  images:\n    app: latest", Expected.LIST, 3, "a.example.images.app"),
        ("a.example:\n  images:\n    app: [a b]", Expected.NAME, 3, "a.example.images.app[0]"),
        ("a.example:\n  images:\n    app: ['sha256:12']", Expected.NAME, 3, "a.example.images.app[0]"),
        ("a.example:\n  images:\n    App: []", Expected.NAME, 3, "a.example.images.App"),
        ("a.example:\n  images:\n    app:latest: []", Expected.NAME, 3, "a.example.images.app:latest"),
        ("a.example:\n  images-by-semver:\n    app: ['1']", Expected.TEXT, 3, "a.example.images-by-semver.app"),
        ("a.example:\n  images-by-semver:\n    app:", Expected.TEXT, 3, "a.example.images-by-semver.app"),
        ("a.example:\n  tls-verify: maybe", Expected.FLAG, 2, "a.example.tls-verify"),
        ("not a host: {}", Expected.NAME, 1, "not a host"),
    ],
)
def test_a_wrong_shape_is_refused_with_its_place(text: str, expected: Expected, line: int, where: str) -> None:
    with pytest.raises(NotImported) as raised:
        imported(text)

    assert (raised.value.expected, raised.value.line, raised.value.where) == (expected, line, where)


def test_repositories_whose_names_would_be_one_get_names_of_their_own() -> None:
    names = [f"{'n' * 60}/{number}/{'a' * 50}" for number in range(5_000)] + ["app", "app-2", "app/2"]
    found = imported(yaml.safe_dump({"a.example": {"images": {name: ["v1"] for name in names}}}, sort_keys=False))

    assert len({details.name for details in found.details}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", details.name) for details in found.details)
    assert all(len(details.name) <= 40 for details in found.details)
    assert [details.name for details in found.details[-3:]] == ["app", "app-2", "app-2-2"]


texts = st.sampled_from(("a", "a/b", "1.2", "^a$", "(", ">=1", DIGEST, "")) | st.text(max_size=5)
scalars = st.none() | st.booleans() | st.integers() | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
registries = st.fixed_dictionaries(
    {},
    optional={
        "images": st.dictionaries(texts, st.lists(texts, max_size=3) | values, max_size=3),
        "images-by-tag-regex": st.dictionaries(texts, texts | values, max_size=3),
        "images-by-semver": st.dictionaries(texts, texts | values, max_size=3),
        "credentials": st.dictionaries(st.sampled_from(("username", "password", "more")), scalars),
        "tls-verify": st.booleans() | scalars,
    },
)
files = st.dictionaries(st.sampled_from(("a.example", "b.example:5000", "docker.io", "a")), registries) | values


@given(files.map(yaml.safe_dump) | st.text(max_size=100))
def test_any_text_is_imported_or_refused(text: str) -> None:
    try:
        found = imported(text)
    except NotImported:
        return
    for details in found.details:
        details.choice.check()
        assert details.source in {source.host for source in found.sources}
    assert len({details.name for details in found.details}) == len(found.details)
