"""Pins: what a report names, for how long that holds, and what stays because of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from access.models import User
from audit.models import Entry
from cleanup import pins
from cleanup.models import Pin, PinHolder
from cleanup.pins import digest_in, directly_pinned, pinned_among
from registries.models import Registry
from tagging.permission import NotPermitted
from tests.web import furniture as make

DIGEST: Final = "sha256:" + "a" * 64
OTHER: Final = "sha256:" + "b" * 64


@pytest.fixture
def mara(db: None) -> User:
    return make.person("mara", staff=True)


@pytest.fixture
def local(db: None) -> Registry:
    return make.registry("local")


def who_says(sentence: str) -> str:
    """The holder in a sentence."""
    before, _, rest = sentence.partition("in use, says ")
    assert before == ""
    assert rest.endswith(" UTC")
    return rest.partition(" until ")[0]


def pinned(registry: Registry, *built: make.Built) -> set[str]:
    return set(pinned_among(registry, [one.row.digest for one in built]))


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (DIGEST, DIGEST),
        (f" {DIGEST}\n", DIGEST),
        (f"registry.example.com:5000/team/app@{DIGEST}", DIGEST),
        (f"registry.example.com/team/app:1.0@{DIGEST}", DIGEST),
        (f"docker-pullable://registry.example.com/team/app@{DIGEST}", DIGEST),
        (f"docker://{DIGEST}", DIGEST),
        ("sha512:" + "c" * 128, "sha512:" + "c" * 128),
        ("registry.example.com/team/app:1.0", None),
        (f"{DIGEST}0", None),
        (DIGEST.upper(), None),
        (f"app@{DIGEST}@evil", None),
        ("", None),
        ("@", None),
        (None, None),
        (7, None),
        ([DIGEST], None),
    ],
)
def test_a_digest_is_found_in_what_clusters_call_an_image(text: object, digest: str | None) -> None:
    assert digest_in(text) == digest


def test_what_is_no_digest_is_counted_and_the_rest_is_pinned(mara: User) -> None:
    told = pins.report("cluster-a", [DIGEST, f"team/app@{DIGEST}", "team/app:1.0", None, "\x1b[31m", OTHER], mara)

    assert (told.digests, told.unread) == (2, 3)
    assert told.samples[:2] == ("team/app:1.0", "None")
    assert "\x1b" not in told.samples[2]
    assert set(Pin.objects.values_list("digest", flat=True)) == {DIGEST, OTHER}
    [entry] = Entry.objects.all()
    assert (entry.act, entry.actor, entry.detail) == ("pin", "mara", "cluster-a (2)")


def test_a_later_report_leaves_the_pins_that_it_does_not_name(mara: User) -> None:
    pins.report("cluster-a", [DIGEST, OTHER], mara, hours=10)
    before = Pin.objects.get(digest=DIGEST).until

    pins.report("cluster-a", [OTHER], mara, hours=2)

    assert Pin.objects.get(digest=DIGEST).until == before
    assert Pin.objects.get(digest=OTHER).until < before
    assert PinHolder.objects.get().told == 1


def test_a_report_for_staff_alone(db: None) -> None:
    with pytest.raises(NotPermitted):
        pins.report("cluster-a", [DIGEST], make.person("ben"))
    assert not PinHolder.objects.exists()


@pytest.mark.parametrize(
    ("holder", "hours", "field"),
    [
        ("", 1, "holder"),
        ("a b", 1, "holder"),
        ("-a", 1, "holder"),
        ("é", 1, "holder"),
        ("a" * 64, 1, "holder"),
        ("a\n", 1, "holder"),
        ("a", 0, "for_hours"),
        ("a", -1, "for_hours"),
        ("a", 10**9, "for_hours"),
    ],
)
def test_what_is_no_report_is_refused(mara: User, holder: str, hours: int, field: str) -> None:
    with pytest.raises(pins.InvalidReport) as refusal:
        pins.report(holder, [DIGEST], mara, hours)
    assert refusal.value.field == field
    assert not Pin.objects.exists()


@pytest.mark.any_database
def test_a_report_has_a_bound(mara: User) -> None:
    with pytest.raises(pins.InvalidReport):
        pins.report("cluster-a", [DIGEST] * (pins.MOST + 1), mara)


def test_a_pin_ends_by_itself_and_is_forgotten(mara: User, local: Registry) -> None:
    pins.report("cluster-a", [DIGEST, OTHER], mara)
    now = timezone.now()
    Pin.objects.filter(digest=DIGEST).update(until=now - timedelta(seconds=1))

    assert set(directly_pinned([DIGEST, OTHER])) == set(pinned_among(local, [DIGEST, OTHER])) == {OTHER}

    pins.prune(now)
    assert set(Pin.objects.values_list("digest", flat=True)) == {OTHER}
    assert PinHolder.objects.exists()
    Pin.objects.all().delete()
    pins.prune(now + timedelta(hours=pins.HOURS, seconds=1))
    assert not PinHolder.objects.exists()


def test_a_holder_lets_go_of_its_own_pins_only(mara: User, local: Registry) -> None:
    pins.report("cluster-a", [DIGEST, OTHER], mara)
    pins.report("cluster-b", [OTHER], mara)

    assert pins.forget(PinHolder.objects.get(name="cluster-a"), mara) == 2

    assert {d: who_says(s) for d, s in pinned_among(local, [DIGEST, OTHER]).items()} == {OTHER: "cluster-b"}
    assert Entry.objects.filter(act="unpin", detail="cluster-a (2)").exists()
    with pytest.raises(NotPermitted):
        pins.forget(PinHolder.objects.get(), make.person("ben"))


def test_the_one_that_lasts_longest_says_so(mara: User) -> None:
    pins.report("cluster-b", [DIGEST], mara, hours=5)
    pins.report("cluster-a", [DIGEST], mara, hours=4)
    pins.report("cluster-c", [DIGEST], mara, hours=3)

    until = Pin.objects.get(holder__name="cluster-b").until
    assert directly_pinned([DIGEST]) == {DIGEST: f"in use, says cluster-b until {until:%Y-%m-%d %H:%M} UTC"}


def test_a_platform_pins_the_indexes_that_list_it_and_an_index_all_that_it_lists(mara: User, local: Registry) -> None:
    app = make.repository(local)
    amd, arm, alone = (make.image(layers=[(name, 10)]) for name in ("amd", "arm", "alone"))
    index = make.index([("linux/amd64", amd), ("linux/arm64", arm)])
    above = make.index([("", index)])
    apart = make.index([("linux/amd64", alone)])
    everything = (amd, arm, alone, index, above, apart)
    for built in everything:
        make.put(app, built)
    pins.report("cluster-a", [amd.row.digest], mara)

    assert pinned(local, *everything) == {built.row.digest for built in (amd, arm, index, above)}
    # Each is found also where the others are not asked about.
    assert pinned(local, above) == {above.row.digest}
    assert pinned(local, arm) == {arm.row.digest}
    assert pinned(local, apart, alone) == set()


def test_a_pinned_index_pins_what_it_lists_also_when_no_tag_reaches_it_any_more(mara: User, local: Registry) -> None:
    app = make.repository(local)
    child = make.image()
    index = make.index([("linux/amd64", child), ("linux/arm64", OTHER)])
    make.put(app, child, gone_at=timezone.now())
    make.put(app, index, gone_at=timezone.now())
    pins.report("cluster-a", [index.row.digest], mara)

    assert set(pinned_among(local, [child.row.digest])) == {child.row.digest}


def test_an_index_is_pinned_by_a_platform_that_nobody_has_read(mara: User, local: Registry) -> None:
    index = make.index([("linux/amd64", make.image()), ("linux/arm64", OTHER)])
    make.put(make.repository(local), index, "1.0")
    pins.report("cluster-a", [OTHER], mara)

    assert pinned(local, index) == {index.row.digest}


def test_an_index_of_another_registry_pins_nothing_here(mara: User, local: Registry) -> None:
    child = make.image()
    index = make.index([("linux/amd64", child)])
    make.put(make.repository(local), child, "1.0")
    make.put(make.repository(make.registry("other")), index, "1.0")
    pins.report("cluster-a", [index.row.digest], mara)

    assert pinned(local, child) == set()


def test_an_image_is_named_by_its_config_too(mara: User, local: Registry) -> None:
    image = make.image(settings=make.config(created="2024-01-01T00:00:00Z"))
    make.put(make.repository(local), image, "1.0")
    assert image.row.config is not None
    pins.report("machine-1", [image.row.config.digest], mara)

    assert pinned(local, image) == {image.row.digest}


def test_what_the_catalog_never_read_is_pinned_by_its_own_digest(mara: User, local: Registry) -> None:
    pins.report("cluster-a", [DIGEST], mara)

    assert set(pinned_among(local, [DIGEST, OTHER])) == {DIGEST}


def test_many_are_asked_about_by_few_queries(
    mara: User, local: Registry, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    app = make.repository(local)
    image = make.image()
    make.put(app, image, "1.0")
    digests = [f"sha256:{number:064x}" for number in range(20_000)]
    pins.report("cluster-a", [*digests[:1000], image.row.digest], mara)

    with django_assert_max_num_queries(25):
        found = pinned_among(local, [*digests, image.row.digest])

    assert len(found) == 1001
    assert pins.report("cluster-a", digests, mara).digests == 20_000
    assert len(pinned_among(local, digests)) == 20_000
