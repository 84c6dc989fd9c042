"""What a file of another tool would add, and adding it: names, addresses, passwords, and what is in the way."""

from __future__ import annotations

import pytest

from access.models import User
from audit.models import Entry
from registries import services
from registries.details import Details as RegistryDetails
from registries.limits import Limits
from registries.models import Registry
from sync.details import Details
from sync.importing import sentences
from sync.importing.document import Expected
from sync.importing.imported import Code
from sync.importing.regsync import read_regsync
from sync.importing.skopeo import read_skopeo
from sync.importing.taking_over import MOST_RULES, NotTakenOver, TakingOver, look_at, take_over
from sync.importing.words import in_words
from sync.models import Rule
from sync.rules import save
from tests.web import furniture as make

pytestmark = pytest.mark.django_db

CANARY = "CANARY-7f3"
REGSYNC = f"""
creds:
  - registry: docker.io
    user: robot
    pass: {CANARY}
    reqConcurrent: 2
  - registry: quay.io
    reqPerSec: 5
defaults:
  ratelimit:
    min: 50
  interval: 60m
sync:
  - source: alpine
    target: registry.lab.internal:5000/mirror/alpine
    type: repository
    tags:
      allow: ["3.20"]
  - source: quay.io/prometheus/prometheus:v3.0.0
    target: registry.lab.internal:5000/mirror/prometheus:v3.0.0
    type: image
"""


@pytest.fixture
def ours() -> Registry:
    return make.registry("ours", url="http://127.0.0.1:5000", plain_http=True, public_name="registry.lab.internal:5000")


@pytest.fixture
def mara() -> User:
    return make.person("mara", staff=True)


def regsync(text: str, target: Registry | None = None) -> TakingOver:
    return look_at(read_regsync(text), target)


def one(target: str = "registry.lab.internal:5000", source: str = "docker.io/library/alpine") -> str:
    return f"sync:\n- {{source: {source}, target: {target}/mirror/alpine, type: repository}}\n"


def test_a_file_says_what_would_be_added_and_adds_nothing(ours: Registry) -> None:
    coming = regsync(REGSYNC)

    assert [(place.name, place.url, place.is_new) for place in coming.sources] == [
        ("docker-hub", "https://registry-1.docker.io", True),
        ("quay", "https://quay.io", True),
    ]
    assert [(rule.details.name, rule.details.source, rule.details.target) for rule in coming.rules] == [
        ("alpine", "docker-hub", "ours"),
        ("prometheus-prometheus", "quay", "ours"),
    ]
    assert [rule.problem for rule in coming.rules] == ["", ""]
    assert coming.has_passwords
    assert Registry.objects.count() == 1
    assert not Rule.objects.exists()


def test_taken_over_it_is_there_and_switched_off(ours: Registry, mara: User) -> None:
    taken = take_over(regsync(REGSYNC), mara, with_passwords=False)

    assert taken.failed == []
    hub, quay = Registry.objects.sources().order_by("name")
    assert (hub.preset, hub.realm, hub.username, hub.password) == (
        "docker-hub",
        "https://auth.docker.io/token",
        "",
        "",
    )
    assert Limits.of(hub) == Limits(at_once=2, quota_floor=50)
    assert Limits.of(quay) == Limits(at_once=3, requests_per_second=5.0, quota_floor=50)
    alpine = Rule.objects.get(name="alpine")
    assert (alpine.is_on, alpine.next_at, alpine.created_by) == (False, None, "mara")
    assert alpine.details == Details(
        name="alpine",
        source="docker-hub",
        repositories=("library/alpine",),
        target="ours",
        into="mirror/alpine",
        choice=alpine.details.choice,
        attached=frozenset(),
        schedule=alpine.details.schedule,
        is_on=False,
    )
    acts = list(Entry.objects.order_by("pk").values_list("act", flat=True))
    assert acts == [Entry.Act.REGISTRY_ADD] * 2 + [Entry.Act.RULE_ADD] * 2


def test_passwords_of_the_file_are_used_where_somebody_says_so(ours: Registry, mara: User) -> None:
    take_over(regsync(REGSYNC), mara, with_passwords=True)
    hub = Registry.objects.get(name="docker-hub")
    assert (hub.username, hub.password) == ("robot", CANARY)


def test_one_that_is_there_is_used_as_it_is(ours: Registry, mara: User) -> None:
    there = services.add(
        RegistryDetails("https://registry-1.docker.io", "hub", username="us", password="own", role="source")
    )

    coming = regsync(REGSYNC)
    assert [(place.name, place.is_new) for place in coming.sources] == [("hub", False), ("quay", True)]
    assert not coming.has_passwords
    take_over(coming, mara, with_passwords=True)

    there.refresh_from_db()
    assert (there.username, there.password, Limits.of(there)) == ("us", "own", Limits())
    assert Rule.objects.get(name="alpine").source == there


def test_a_service_that_is_asked_elsewhere_is_none(ours: Registry, mara: User) -> None:
    text = f"creds: [{{registry: docker.io, hostname: cache.example.org, user: u, pass: {CANARY}}}]\n{one()}"
    take_over(regsync(text), mara, with_passwords=True)
    source = Registry.objects.sources().get()
    assert (source.url, source.preset, source.realm) == ("https://cache.example.org", "any", "")


def test_a_service_that_has_several_names_is_one_source(ours: Registry, mara: User) -> None:
    lines = [
        one(source=f"{host}/alpine").splitlines()[1]
        for host in ("docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "Docker.IO")
    ]
    text = "\n".join([f"creds: [{{registry: registry-1.docker.io, user: u, pass: {CANARY}}}]", "sync:", *lines])

    taken = take_over(regsync(text), mara, with_passwords=True)

    assert (taken.failed, len(taken.rules)) == ([], 5)
    (hub,) = Registry.objects.sources()
    assert (hub.url, hub.preset, hub.password) == ("https://registry-1.docker.io", "docker-hub", CANARY)
    assert {tuple(rule.details.repositories) for rule in Rule.objects.all()} == {("library/alpine",)}


def test_another_name_where_one_is_taken(ours: Registry, mara: User) -> None:
    make.registry("docker-hub", role=Registry.Role.SOURCE)
    make.registry("upstream", role=Registry.Role.SOURCE)
    save(Details("alpine", "upstream", ("some/app",), "ours"), mara)
    save(Details("alpine-2", "upstream", ("some/app",), "ours"), mara)

    coming = regsync(REGSYNC)
    assert coming.sources[0].name == "docker-hub-2"
    assert coming.rules[0].details.name == "alpine-3"
    take_over(coming, mara, with_passwords=False)
    assert Rule.objects.get(name="alpine-3").source.name == "docker-hub-2"


def test_taken_over_twice_it_adds_nothing_twice(ours: Registry, mara: User) -> None:
    take_over(regsync(REGSYNC), mara, with_passwords=False)

    again = regsync(REGSYNC)
    assert [rule.there for rule in again.rules] == ["alpine", "prometheus-prometheus"]
    taken = take_over(again, mara, with_passwords=False)
    assert (taken.rules, taken.sources, taken.failed) == ([], [], [])

    changed = regsync(REGSYNC.replace('"3.20"', '"3.21"'))
    assert [(rule.details.name, rule.there) for rule in changed.rules] == [
        ("alpine-2", ""),
        ("prometheus-prometheus", "prometheus-prometheus"),
    ]


def test_no_rule_takes_the_address_of_a_page(ours: Registry) -> None:
    text = one(source="docker.io/library/import")
    assert regsync(text).rules[0].details.name == "import-2"


def test_what_is_none_of_ours_goes_where_somebody_says(ours: Registry, mara: User) -> None:
    nowhere = regsync(one("elsewhere.example.org"))
    assert "elsewhere.example.org is none of ours" in nowhere.rules[0].problem
    assert nowhere.new_sources == []  # no rule would copy from it
    taken = take_over(nowhere, mara, with_passwords=False)
    assert [name for name, _ in taken.failed] == ["alpine"]
    assert not Registry.objects.sources().exists()

    coming = regsync(one("elsewhere.example.org"), ours)
    assert (coming.rules[0].problem, coming.rules[0].details.target) == ("", "ours")


def test_what_the_file_names_of_ours_counts_before_what_somebody_says(ours: Registry) -> None:
    edge = make.registry("edge")
    assert regsync(one(), edge).rules[0].details.target == "ours"
    assert regsync(one("edge.example.org"), ours).rules[0].details.target == "edge"


def creds(host: str, tls: str) -> str:
    return f"creds: [{{registry: '{host}', tls: {tls}}}]\n" if tls else ""


def of_scheme(coming: TakingOver) -> list[tuple[int, str, str]]:
    return [(remark.line, remark.where, remark.detail) for remark in coming.remarks if remark.code is Code.OTHER_SCHEME]


def test_a_host_of_which_the_file_says_nothing_is_asked_as_berth_asks_it(ours: Registry) -> None:
    coming = regsync(one("127.0.0.1:5000"))

    assert [(rule.problem, rule.details.target) for rule in coming.rules] == [("", "ours")]
    assert of_scheme(coming) == [(2, "sync[0].target", "ours (http://127.0.0.1:5000)")]


def test_so_is_a_source(ours: Registry) -> None:
    make.registry("lab", role=Registry.Role.SOURCE, url="http://lab.example.org", plain_http=True)
    for host in ("lab.example.org", "lab.example.org:80"):
        coming = regsync(one(source=f"{host}/team/app"))
        assert [(place.name, place.is_new) for place in coming.sources] == [("lab", False)]
        assert of_scheme(coming) == [(2, "sync[0]", "lab (http://lab.example.org)")]


@pytest.mark.parametrize(
    ("url", "tls", "is_meant", "is_said"),
    [
        ("http://127.0.0.1:5000", "disabled", True, False),
        ("http://127.0.0.1:5000", "enabled", False, False),
        ("http://127.0.0.1:5000", "insecure", False, False),
        ("https://127.0.0.1:5000", "disabled", True, True),
        ("https://127.0.0.1:5000", "enabled", True, False),
        ("https://127.0.0.1:5000", "", True, False),
        ("http://127.0.0.1:5001", "", False, False),
        ("http://127.0.0.1:5000/under", "", False, False),
    ],
)
def test_what_the_file_says_of_tls_is_never_lowered(url: str, tls: str, *, is_meant: bool, is_said: bool) -> None:
    make.registry("ours", url=url, plain_http=True)
    host = "127.0.0.1:5000"

    coming = regsync(creds(host, tls) + one(host))
    assert [not rule.problem for rule in coming.rules] == [is_meant]
    assert bool(of_scheme(coming)) == is_said

    coming = regsync(creds(host, tls) + one("edge.example.org", f"{host}/team/app"))
    assert [place.is_new for place in coming.sources] == [not is_meant]
    assert bool(of_scheme(coming)) == is_said


def test_a_target_that_would_be_lowered_is_only_where_somebody_says(ours: Registry) -> None:
    text = creds("127.0.0.1:5000", "enabled") + one("127.0.0.1:5000")

    (rule,) = regsync(text).rules
    assert rule.problem.startswith("The file says TLS of 127.0.0.1:5000, and ours is asked without")
    (rule,) = regsync(text, ours).rules
    assert (rule.problem, rule.details.target) == ("", "ours")


def test_a_name_in_pull_commands_lowers_nothing_either() -> None:
    make.registry("ours", url="http://127.0.0.1:5000", plain_http=True, public_name="127.0.0.1:5000")
    (rule,) = regsync(creds("127.0.0.1:5000", "enabled") + one("127.0.0.1:5000")).rules
    assert rule.problem


@pytest.mark.parametrize(
    ("verify", "is_meant"), [("", True), ("  tls-verify: false\n", True), ("  tls-verify: true\n", False)]
)
def test_skopeo_means_tls_where_it_is_verified(ours: Registry, verify: str, *, is_meant: bool) -> None:
    text = f"127.0.0.1:5000:\n{verify}  images:\n    team/app: [v1]\n"
    coming = look_at(read_skopeo(text, target="", into="mirror/{name}"), ours)
    assert [place.registry for place in coming.sources] == [ours if is_meant else None]
    assert bool(of_scheme(coming)) == is_meant


def test_one_of_ours_may_be_the_source(ours: Registry, mara: User) -> None:
    edge = make.registry("edge")
    coming = regsync(one(source="edge.example.org/base/python"))
    assert (coming.sources[0].registry, coming.rules[0].details.source) == (edge, "edge")


def test_a_repository_is_not_copied_into_itself(ours: Registry) -> None:
    text = one(source="registry.lab.internal:5000/mirror/alpine")
    assert "into itself" in regsync(text).rules[0].problem


def test_skopeo_goes_where_somebody_says(ours: Registry, mara: User) -> None:
    text = f"quay.io:\n  credentials: {{username: u, password: {CANARY}}}\n  images:\n    coreos/etcd: [v3.5.0]\n"
    coming = look_at(read_skopeo(text, target="", into="mirror/{name}"), ours)

    (rule,) = coming.rules
    assert (rule.problem, rule.details.target, rule.details.into) == ("", "ours", "mirror/{name}")
    take_over(coming, mara, with_passwords=True)
    assert Registry.objects.get(name="quay").password == CANARY


def test_what_is_in_the_way_of_one_is_in_the_way_of_no_other(ours: Registry, mara: User) -> None:
    coming = regsync(REGSYNC)
    services.add(RegistryDetails("https://quay.io", "meanwhile", role="source"))

    taken = take_over(coming, mara, with_passwords=False)

    assert [rule.name for rule in taken.rules] == ["alpine"]
    assert taken.failed == [
        ("quay", "meanwhile is at that address already."),
        ("prometheus-prometheus", "meanwhile is at that address already."),
    ]


def test_the_command_line_is_nobody_in_particular(ours: Registry) -> None:
    take_over(regsync(REGSYNC), None, with_passwords=False)
    assert set(Entry.objects.values_list("actor", "actor_id")) == {("", None)}
    assert Rule.objects.get(name="alpine").created_by == ""


def test_nothing_of_it_is_nothing() -> None:
    with pytest.raises(NotTakenOver, match="No rule"):
        regsync("sync: []")


def test_too_much_is_refused(ours: Registry) -> None:
    lines = "\n".join(one().splitlines()[1] for _ in range(MOST_RULES + 1))
    with pytest.raises(NotTakenOver, match="divide it"):
        regsync(f"sync:\n{lines}")


def test_an_address_that_is_none_is_said_of_its_rules(ours: Registry) -> None:
    text = f"creds: [{{registry: docker.io, hostname: 169.254.169.254}}]\n{one()}"
    coming = regsync(text)
    assert "link-local" in coming.rules[0].problem
    assert coming.new_sources == []


@pytest.mark.parametrize("code", Code)
def test_every_remark_has_a_sentence(code: Code) -> None:
    assert str(sentences._REMARKS[code]).endswith(".")


@pytest.mark.parametrize("expected", Expected)
def test_every_fault_has_a_sentence(expected: Expected) -> None:
    assert str(sentences._EXPECTED[expected]).endswith(".")


def test_a_rule_in_words(ours: Registry) -> None:
    text = r"""
sync:
- source: alpine
  target: registry.lab.internal:5000/mirror/alpine
  type: repository
  schedule: "15 3 * * *"
  backup: "old-{{.Ref.Tag}}"
  platforms: ["linux/amd64"]
  tags:
    allow: ["3\\.\\d+"]
    deny: ["3.0"]
"""
    (rule,) = regsync(text).rules
    assert in_words(rule.details) == [
        r"tags /3\.\d+/",
        "without /3.0/",
        "only linux/amd64, under the index as it is",
        "without what is attached",
        "what a tag pointed to is kept as old-{tag}",
        "when 15 3 * * * is due, in UTC",
    ]
