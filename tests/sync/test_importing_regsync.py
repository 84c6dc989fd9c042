from __future__ import annotations

from collections.abc import Sequence

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jobs.schedule import Schedule, When
from oci.transfer.attached import ALL_KINDS
from oci.transfer.selection import Form, Selection
from sync.choosing import Choice, choose
from sync.details import Details, Moved
from sync.importing.document import Expected, NotImported
from sync.importing.imported import Code, Imported, Remark, Source
from sync.importing.regsync import read_regsync

DIGEST = f"sha256:{'8c1f20e0' * 8}"

# In the form of the example in regsync's documentation.
EXAMPLE = r"""
version: 1
creds:
  - registry: localhost:5000
    tls: disabled
    scheme: http
  - registry: docker.io
    user: "{{env \"HUB_USER\"}}"
    pass: "{{file \"/var/run/secrets/hub_token\"}}"
    reqPerSec: 2.5
    reqConcurrent: 1
  - registry: quay.example.org
    hostname: quay-mirror.example.org:8443
    user: robot
    pass: very secret
defaults:
  ratelimit:
    min: 100
    retry: 15m
  parallel: 2
  interval: 60m
  backup: "bkup-{{.Ref.Tag}}"
  referrers: true
  digestTags: true
x-tags: &tags
  allow:
  - "latest"
  - "3"
  - "3.\\d+"
  deny:
  - "3.0"
sync:
  - source: busybox:latest
    target: localhost:5000/library/busybox:latest
    type: image
  - source: alpine
    target: localhost:5000/library/alpine
    type: repository
    tags: *tags
    schedule: "15 3 * * *"
    backup: ""
  - source: quay.example.org/coreos/etcd
    target: localhost:5000/mirror/etcd
    type: repository
    interval: 90s
    platforms: ["linux/amd64", "linux/arm64"]
    mediaTypes: ["application/vnd.oci.image.index.v1+json"]
"""


def entry(text: str, defaults: str = "{}") -> Imported:
    """Of one entry, from a host of ours to another."""
    lines = [f"defaults: {defaults}", "sync:", "- source: a.example/some/app", "  target: b.example/other/app"]
    if "type:" not in text:
        lines.append("  type: repository")
    return read_regsync("\n".join([*lines, *(f"  {line}" for line in text.strip().split("\n"))]))


def only(imported: Imported) -> Details:
    (details,) = imported.details
    return details


def codes(imported: Imported) -> Sequence[tuple[str, Code]]:
    return [(remark.where, remark.code) for remark in imported.remarks]


def test_the_documented_form_is_taken_over() -> None:
    imported = read_regsync(EXAMPLE)

    busybox, alpine, etcd = imported.details
    assert busybox == Details(
        name="busybox",
        source="docker.io",
        repositories=("library/busybox",),
        target="localhost:5000",
        into="library/busybox",
        choice=Choice(allow=("latest",)),
        moved=Moved.BACK_UP,
        backup="bkup-{tag}",
        schedule=Schedule(When.EVERY, every=60),
    )
    assert (alpine.name, alpine.repositories, alpine.into) == ("alpine", ("library/alpine",), "library/alpine")
    assert alpine.choice == Choice(allow=("latest", "3", r"/3.\d+/"), deny=("/3.0/",))
    assert alpine.schedule == Schedule(When.CRON, cron="15 3 * * *")
    assert alpine.moved is Moved.BACK_UP  # an empty text of an entry says nothing there
    assert (etcd.name, etcd.source, etcd.into) == ("coreos-etcd", "quay.example.org", "mirror/etcd")
    assert etcd.selection == Selection(platforms=("linux/amd64", "linux/arm64"), form=Form.SPARSE)
    assert etcd.attached == ALL_KINDS
    assert etcd.schedule == Schedule(When.EVERY, every=5)
    assert set(imported.sources) == {
        Source("localhost:5000", "http://localhost:5000", plain_http=True),
        Source("docker.io", "https://registry-1.docker.io", at_once=1, requests_per_second=2.5, quota_floor=100),
        Source(
            *("quay.example.org", "https://quay-mirror.example.org:8443", "robot", "very secret"),
            quota_floor=100,
        ),
    }
    assert codes(imported) == [
        ("creds[0].scheme", Code.NOT_HERE),
        ("creds[1].user", Code.TEMPLATE),
        ("creds[1].pass", Code.TEMPLATE),
        ("defaults.parallel", Code.NOT_NEEDED),
        ("defaults.ratelimit.retry", Code.NOT_NEEDED),
        ("sync[2].mediaTypes", Code.NOT_HERE),
        ("sync[2].platforms", Code.SPARSE),
        ("sync[2].interval", Code.ROUNDED),
    ]
    assert imported.remarks[0] == Remark("creds[0].scheme", 6, Code.NOT_HERE)


def test_a_password_is_in_no_text() -> None:
    imported = read_regsync(EXAMPLE)

    assert [source.has_password for source in imported.sources] == [False, False, True]
    assert "very secret" not in repr(imported)


def test_what_is_chosen_is_what_regsync_chooses() -> None:
    details = only(entry("tags: {allow: ['1\\.[0-9]+', '2|3', '(4|5)', '.*-x'], deny: ['1.9']}"))
    tags = ("1.2", "1.2.3", "1.9", "2", "2-beta", "13", "4", "45", "5", "a-x", "a-xy")

    kept = {verdict.tag for verdict in choose(details.choice, tags) if verdict.is_in}

    assert kept == {"1.2", "1.2.3", "2", "2-beta", "13", "4", "5", "a-x"}


@pytest.mark.parametrize(
    ("text", "choice", "remarks"),
    [
        ("tags: {}", Choice(), []),
        ("tags: {allow: []}", Choice(), []),
        ("tags: {allow: ['.*']}", Choice(allow=("*",)), []),
        ("tags: {allow: [v1-2, '^v1$']}", Choice(allow=("v1-2", "/^v1$/")), []),
        (
            "tags: {semverRange: ['>=1.0.0 <2.0.0', '>=4']}",
            Choice(ranges=(">=1.0.0 <2.0.0", ">=4"), deny=("*-*", "*_*")),
            [Code.FLAVOURS],
        ),
        ("tags: {semverRange: ['>=1.0.0-0']}", Choice(ranges=(">=1.0.0",), pre_releases=True), [Code.PRE_RELEASES]),
        (
            "tags: {semverRange: ['=>1.0-rc.1']}",
            Choice(ranges=(">=1.0",), pre_releases=True),
            [Code.BOUND, Code.PRE_RELEASES],
        ),
        ("tags: {semverRange: ['1.2 - 1.4']}", Choice(ranges=("1.2 - 1.4",), deny=("*-*", "*_*")), [Code.FLAVOURS]),
        ("tags: {semverRange: ['']}", Choice(), []),
        ("tags: {allow: ['a|b']}", Choice(allow=("/.*(?:^a|b$).*/",)), [Code.HALF_ANCHORED]),
        ("tags: {allow: ['[|]', '\\|', '(a|(b|c))']}", Choice(allow=("/[|]/", r"/\|/", "/(a|(b|c))/")), []),
        ("tags: {allow: [a], newest: 3}", Choice(allow=("a",)), [Code.UNKNOWN]),
    ],
)
def test_tags_are_chosen_by_expressions_that_fit_them_whole(text: str, choice: Choice, remarks: list[Code]) -> None:
    imported = entry(text)

    assert only(imported).choice == choice
    assert [code for _, code in codes(imported)] == remarks


def test_sets_of_tags_become_as_many_rules() -> None:
    imported = entry("tags: {allow: [latest]}\ntagSets:\n- {allow: ['3.*'], deny: ['3.0']}\n- {semverRange: ['4']}")

    assert [(details.name, details.choice.allow) for details in imported.details] == [
        ("some-app", ("latest",)),
        ("some-app-2", ("/3.*/",)),
        ("some-app-3", ()),
    ]
    assert (("sync[0].tagSets"), Code.SPLIT) in codes(imported)


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("tags: {allow: ['(']}", Code.PATTERN, "sync[0]"),
        ("tags: {allow: ['(?=a)b']}", Code.PATTERN, "sync[0]"),
        (f"tags: {{deny: ['{'a.' * 200}']}}", Code.PATTERN, "sync[0]"),
        (f"tags: {{allow: ['{'(' * 100_000}a{')' * 100_000}']}}", Code.PATTERN, "sync[0]"),
        ("tags: {semverRange: ['newest']}", Code.RANGE, "sync[0]"),
        ("tags: {semverRange: ['>1 &&& <2']}", Code.RANGE, "sync[0]"),
    ],
)
def test_a_rule_whose_tags_we_cannot_choose_is_left_out(text: str, code: Code, where: str) -> None:
    imported = entry(text)

    assert imported.details == ()
    assert (where, code) in codes(imported)
    assert imported.remarks[-1].leaves_out
    assert all(len(remark.detail) <= 255 for remark in imported.remarks)


@pytest.mark.parametrize(
    ("source", "target", "kind", "code"),
    [
        ("'{{env \"FROM\"}}/app'", "b.example/app", "repository", Code.NAME_IN_TEMPLATE),
        ("a.example/app", "'b.example/{{.Sync.Source}}'", "repository", Code.NAME_IN_TEMPLATE),
        ("ocidir:///var/images", "b.example/app", "repository", Code.NO_REGISTRY),
        ("a.example/app:1.2", "b.example/app:stable", "image", Code.RETAGGED),
        ("a.example/app:1.2", f"b.example/app:1.2@{DIGEST}", "image", Code.RETAGGED),
        ("a.example", "b.example", "registry\n  repos: {allow: ['(a|b)/.*']}", Code.REPOSITORIES),
        ("a.example", "b.example", "registry\n  repos: {allow: ['ab*']}", Code.REPOSITORIES),
        ("a.example", "b.example", "registry\n  repos: {deny: ['a']}", Code.REPOSITORIES),
        ("a.example", "b.example", f"registry\n  repos: {{allow: ['{'a' * 256}']}}", Code.REPOSITORIES),
    ],
)
def test_a_rule_that_we_cannot_keep_is_left_out_and_said(source: str, target: str, kind: str, code: Code) -> None:
    imported = read_regsync(f"sync:\n- source: {source}\n  target: {target}\n  type: {kind}\n")

    assert imported.details == ()
    assert [(remark.code, remark.leaves_out) for remark in imported.remarks] == [(code, True)]


@pytest.mark.parametrize(
    ("source", "target", "pins"),
    [
        (f"alpine:3@{DIGEST}", "b.example/alpine:3", (f"3@{DIGEST}",)),
        (f"alpine@{DIGEST}", "b.example/alpine:pinned", (f"pinned@{DIGEST}",)),
        (f"alpine@{DIGEST}", f"b.example/alpine@{DIGEST}", (DIGEST,)),
    ],
)
def test_a_digest_is_a_pin_and_takes_no_other_tag(source: str, target: str, pins: tuple[str, ...]) -> None:
    details = only(read_regsync(f"sync:\n- {{source: '{source}', target: '{target}', type: image}}"))

    assert details.pins == pins
    assert not any(verdict.is_in for verdict in choose(details.choice, ("3", "latest", "1.2.3")))


@pytest.mark.parametrize(
    ("repos", "patterns"),
    [
        ("{}", ("*",)),
        ("{allow: ['.*']}", ("*",)),
        (r"{allow: ['team/.*', 'a\.b/c.', 'x.+']}", ("team/*", "a.b/c?", "x?*")),
    ],
)
def test_a_whole_registry_becomes_patterns(repos: str, patterns: tuple[str, ...]) -> None:
    imported = read_regsync(f"sync:\n- {{source: a.example, target: 'b.example:5000', type: registry, repos: {repos}}}")

    details = only(imported)
    assert (details.repositories, details.into) == (patterns, "{repository}")
    assert codes(imported) == [("sync[0].source", Code.LISTED)]


def test_a_rule_of_all_repositories_is_named_by_its_source() -> None:
    imported = read_regsync("sync:\n- {source: docker.io, target: b.example, type: registry}")

    assert (only(imported).name, only(imported).source) == ("all-of-docker-io", "docker.io")


@pytest.mark.parametrize(
    ("text", "schedule", "remarks"),
    [
        ("schedule: '15 3 * * *'", Schedule(When.CRON, cron="15 3 * * *"), []),
        ("schedule: '@daily'", Schedule(When.CRON, cron="0 0 * * *"), []),
        ("schedule: '0 3 ? * MON'", Schedule(When.CRON, cron="0 3 * * MON"), []),
        ("schedule: 'CRON_TZ=Asia/Seoul 0 3 * * *'", Schedule(When.CRON, cron="0 3 * * *", zone="Asia/Seoul"), []),
        ("schedule: '@every 1h30m'", Schedule(When.EVERY, every=90), []),
        ("schedule: '0 3 * * *'\ninterval: 2h", Schedule(When.CRON, cron="0 3 * * *"), []),
        ("interval: 12h", Schedule(When.EVERY, every=720), []),
        ("interval: 1.5h", Schedule(When.EVERY, every=90), []),
        ("interval: 400s", Schedule(When.EVERY, every=7), [Code.ROUNDED]),
        ("interval: 10ms", Schedule(When.EVERY, every=5), [Code.ROUNDED]),
        ("interval: 99999h", Schedule(), [Code.SCHEDULE]),
        ("schedule: '* * * * *'", Schedule(), [Code.SCHEDULE]),
        ("schedule: 'TZ=Mars/Olympus 0 3 * * *'", Schedule(), [Code.SCHEDULE]),
        ("schedule: 'now and then'", Schedule(), [Code.SCHEDULE]),
        ("{}", Schedule(When.EVERY, every=60), []),
    ],
)
def test_a_schedule_is_taken_over_or_the_rule_runs_by_hand(text: str, schedule: Schedule, remarks: list[Code]) -> None:
    imported = entry("type: repository" if text == "{}" else text, "{interval: 60m}")

    assert only(imported).schedule == schedule
    assert [code for _, code in codes(imported)] == remarks


def test_cron_lines_are_in_the_zone_of_the_machine_that_ran_them() -> None:
    imported = read_regsync(
        "sync:\n- {source: a.example/a, target: b.example/a, type: repository, schedule: '0 3 * * *'}",
        zone="Europe/Berlin",
    )

    assert only(imported).schedule.zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "backup", "remarks"),
    [
        ("old-{{.Ref.Tag}}", "old-{tag}", []),
        ('{{ .Ref.Tag }}-{{time.Now.Format "20060102150405"}}', "{tag}-{date}{time}", []),
        ('{{.Ref.Tag}}-{{ time.Now.UTC.Format "2006-01-02" }}', "{tag}-{date}", []),
        ("previous", "previous", []),
        ("b.example/backups:{{.Ref.Tag}}", "{tag}-before-{date}-{time}", [Code.BACKUP]),
        ("{{.Step.Target}}", "{tag}-before-{date}-{time}", [Code.BACKUP]),
        ('{{time.Now.Format "Jan"}}', "{tag}-before-{date}-{time}", [Code.BACKUP]),
    ],
)
def test_a_name_for_backups_is_taken_over_where_it_is_a_tag(text: str, backup: str, remarks: list[Code]) -> None:
    imported = entry(f"backup: '{text}'")

    assert (only(imported).moved, only(imported).backup) == (Moved.BACK_UP, backup)
    assert [code for _, code in codes(imported)] == remarks


@pytest.mark.parametrize(
    ("text", "defaults", "brings", "remarks"),
    [
        ("type: repository", "{}", False, []),
        ("referrers: true", "{}", True, [("sync[0].referrers", Code.ATTACHED)]),
        ("type: repository", "{digestTags: true}", True, [("defaults.digestTags", Code.ATTACHED)]),
        ("referrers: false", "{referrers: true}", False, []),
        ("referrers: true", "{digestTags: true}", True, []),
    ],
)
def test_what_is_attached_comes_along_where_it_was_said(
    text: str, defaults: str, brings: bool, remarks: list[tuple[str, Code]]
) -> None:
    imported = entry(text, defaults)

    assert only(imported).attached == (ALL_KINDS if brings else frozenset())
    assert codes(imported) == remarks


def test_what_has_no_platform_goes_along_with_those_that_were_chosen() -> None:
    assert only(entry("platforms: ['linux/arm/v7', '']")).selection == Selection(("linux/arm/v7",), Form.SPARSE)
    assert only(entry("platforms: []")).selection == Selection()


def test_one_platform_is_the_one_image() -> None:
    assert only(entry("platform: linux/arm64")).selection == Selection(platforms=("linux/arm64",), form=Form.CHILD)


def test_the_highest_floor_of_a_quota_counts_for_a_source() -> None:
    imported = read_regsync(
        """
        defaults: {ratelimit: {min: 20}}
        sync:
        - {source: app/a, target: b.example/a, type: repository}
        - {source: app/b, target: b.example/b, type: repository, ratelimit: {min: 50}}
        - {source: app/c, target: b.example/b, type: repository}
        - {source: c.example/b, target: b.example/b, type: repository, ratelimit: {min: 0, retry: 1m}}
        """
    )

    assert {source.host: source.quota_floor for source in imported.sources} == {
        "docker.io": 50,
        "c.example": 20,
        "b.example": None,
    }
    assert codes(imported) == [
        ("sync[1].ratelimit.min", Code.PER_SOURCE),
        ("defaults.ratelimit.min", Code.PER_SOURCE),
        ("sync[3].ratelimit.retry", Code.NOT_NEEDED),
    ]


def test_docker_hub_has_one_name_and_what_is_said_of_it_adds_up() -> None:
    imported = read_regsync(
        """
        creds:
        - {registry: https://index.docker.io/v1/, user: john, pass: word}
        - {registry: registry-1.docker.io, reqConcurrent: 2}
        """
    )

    assert imported.sources == (Source("docker.io", "https://registry-1.docker.io", "john", "word", at_once=2),)


def test_of_a_registry_all_is_said_that_is_not_taken_over() -> None:
    imported = read_regsync(
        """
        creds:
        - {registry: a.example, tls: insecure, regcert: PEM, clientKey: KEY, token: T0KEN, blobMax: -1, colour: red}
        - {registry: '{{env "B"}}', user: a}
        - {registry: c.example, tls: perhaps, pass: 'half-{{env "C"}}'}
        """
    )

    assert codes(imported) == [
        ("creds[0].regcert", Code.CERTIFICATE),
        ("creds[0].clientKey", Code.CERTIFICATE),
        ("creds[0].token", Code.NOT_HERE),
        ("creds[0].blobMax", Code.NOT_NEEDED),
        ("creds[0].colour", Code.UNKNOWN),
        ("creds[0].tls", Code.INSECURE),
        ("creds[1].registry", Code.TEMPLATE),
        ("creds[2].tls", Code.UNKNOWN),
        ("creds[2].pass", Code.TEMPLATE),
    ]
    assert [source.host for source in imported.sources] == ["a.example", "c.example"]
    assert not any(secret in repr(imported) for secret in ("KEY", "T0KEN", "half-"))


@pytest.mark.parametrize(
    ("text", "expected", "line", "where"),
    [
        ("version: 2", Expected.VERSION, 1, "version"),
        ("version: new", Expected.NUMBER, 1, "version"),
        ("sync: {}", Expected.LIST, 1, "sync"),
        ("sync:\n- just text", Expected.MAPPING, 2, "sync[0]"),
        ("sync:\n- {target: b.example/a, type: image}", Expected.TEXT, 2, "sync[0]"),
        ("sync:\n- {source: a, target: b.example/a}", Expected.TYPE, 2, "sync[0]"),
        ("sync:\n- source: a\n  target: b.example/a\n  type: tag", Expected.TYPE, 4, "sync[0].type"),
        ("sync:\n- source: A\n  target: b.example/a\n  type: image", Expected.NAME, 2, "sync[0].source"),
        ("sync:\n- source: a\n  target: b.example/a:1\n  type: repository", Expected.NAME, 3, "sync[0].target"),
        ("sync:\n- source: a/b\n  target: b.example\n  type: registry", Expected.NAME, 2, "sync[0].source"),
        ("sync:\n- {source: a, target: b.example/a, type: image, interval: soon}", Expected.DURATION, 2, None),
        ("sync:\n- {source: a, target: b.example/a, type: repository, tags: [a]}", Expected.MAPPING, 2, "sync[0].tags"),
        ("sync:\n- {source: a, target: b.example/a, type: repository, platform: local}", Expected.PLATFORM, 2, None),
        (
            "sync:\n- {source: a, target: b.example/a, type: repository, platforms: [a/b, c]}",
            Expected.PLATFORM,
            2,
            None,
        ),
        ("creds:\n- {user: a}", Expected.TEXT, 2, "creds[0]"),
        ("creds:\n- {registry: not a host}", Expected.NAME, 2, "creds[0].registry"),
        ("creds:\n- {registry: a.example, hostname: 'b c'}", Expected.ADDRESS, 2, "creds[0].hostname"),
        ("creds:\n- {registry: a.example, reqPerSec: fast}", Expected.NUMBER, 2, "creds[0].reqPerSec"),
    ],
)
def test_a_wrong_shape_is_refused_with_its_place(text: str, expected: Expected, line: int, where: str | None) -> None:
    with pytest.raises(NotImported) as raised:
        read_regsync(text)

    assert (raised.value.expected, raised.value.line) == (expected, line)
    assert where is None or raised.value.where == where


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(
        (
            "a",
            "a.example/b",
            "a.example/b:1",
            "image",
            "registry",
            "repository",
            "{{env}}",
            "1h",
            "0 3 * * *",
            "(",
            "",
            "a|b",
        )
    )
)
keys = st.sampled_from(
    [
        *(
            "sync",
            "source",
            "target",
            "type",
            "tags",
            "tagSets",
            "repos",
            "allow",
            "deny",
            "semverRange",
            "creds",
            "<<",
        ),
        *(
            "registry",
            "hostname",
            "user",
            "pass",
            "tls",
            "defaults",
            "ratelimit",
            "min",
            "backup",
            "interval",
            "schedule",
        ),
        *("platforms", "platform", "referrers", "version", "schedule", "other", "<<"),
    ]
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5), max_leaves=20
)
entries = st.fixed_dictionaries(
    {"source": scalars, "target": scalars, "type": st.sampled_from(("image", "repository", "registry"))},
    optional={"tags": values, "tagSets": values, "interval": scalars, "schedule": scalars, "backup": scalars},
)
files = values | st.fixed_dictionaries(
    {"sync": st.lists(entries, max_size=3)}, optional={"creds": values, "defaults": values}
)


@given(files.map(yaml.safe_dump) | st.text(max_size=100))
def test_any_text_is_imported_or_refused(text: str) -> None:
    try:
        imported = read_regsync(text)
    except NotImported:
        return
    hosts = {source.host for source in imported.sources}
    for details in imported.details:
        details.choice.check()
        details.schedule.check()
        assert {details.source, details.target} <= hosts
    assert len({details.name for details in imported.details}) == len(imported.details)
