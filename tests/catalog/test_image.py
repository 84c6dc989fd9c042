from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Manifest, Presence, Repository, RepositoryBlob
from catalog.reads.documents import raw_config, raw_manifest
from catalog.reads.history import Layer, layers_of, pair
from catalog.reads.image import Image, read_image
from catalog.reads.platforms import platforms_of
from catalog.reads.sharing import CAP, sharing_of
from catalog.reads.totals import totals_of
from oci.config import HistoryStep
from oci.model import Descriptor
from oci.names import Digest
from registries.models import Registry
from tests.web import furniture as make
from tests.web import harbour_artifacts as artifacts


@pytest.fixture
def local(db: None) -> Registry:
    return make.registry("local")


@pytest.fixture
def app(local: Registry) -> Repository:
    return make.repository(local, "team/app")


def read(where: Repository, built: make.Built, platform: str = "", **fields: Any) -> Image:
    tag = str(where.presences.count())
    return read_image(make.put(where, built, tag, **fields), platform)


def test_an_image_shows_its_layers_with_the_steps_that_made_them(app: Repository) -> None:
    history = [
        {"created_by": "/bin/sh -c #(nop) ADD file:base in / "},
        {"created_by": "ENV A=b", "empty_layer": True},
        {"created_by": "RUN /bin/sh -c make # buildkit"},
    ]
    image = read(app, make.image([("base", 100), ("app", 50)], make.config(history=history)))
    assert [(step.instruction, step.command.text, step.layer and step.layer.size) for step in image.steps] == [
        ("ADD", "file:base in / ", 100),
        ("ENV", "A=b", None),
        ("RUN", "make", 50),
    ]
    assert image.history_fits
    assert image.layer_count == 2


@pytest.mark.parametrize(
    ("created_by", "instruction", "command"),
    [
        ("/bin/sh -c apt-get update", "RUN", "apt-get update"),
        ("RUN |2 A=1 B=2 /bin/sh -c make all # buildkit", "RUN", "make all"),
        ("|1 VERSION=3 /bin/sh -c make", "RUN", "make"),
        ('/bin/sh -c #(nop)  CMD ["sh"]', "CMD", '["sh"]'),
        ("COPY . . # buildkit", "COPY", ". ."),
        ("bazel build ...", "", "bazel build ..."),
        ("RUNNING late", "", "RUNNING late"),
        ("", "", ""),
    ],
)
def test_a_step_is_told_without_its_wrapping(created_by: str, instruction: str, command: str) -> None:
    step = pair([HistoryStep(created_by=created_by)], [], longest=100)[0]
    assert (step.instruction, step.command.text) == (instruction, command)


def some_layers(count: int) -> list[Layer]:
    blobs = [Descriptor(make.LAYER, Digest.parse(make.blob_digest(str(n))), n + 1) for n in range(count)]
    return layers_of(blobs, {})


def test_layers_without_a_step_follow_at_the_end() -> None:
    steps = pair([HistoryStep(created_by="COPY a b")], some_layers(3), longest=100)
    assert [(step.number, step.layer and step.layer.number) for step in steps] == [(1, 1), (2, 2), (3, 3)]


def test_steps_without_a_layer_are_not_called_empty() -> None:
    steps = pair(
        [HistoryStep("COPY a b"), HistoryStep("COPY c d"), HistoryStep("ENV", empty_layer=True)],
        some_layers(1),
        longest=9,
    )
    assert [(step.layer is None, step.is_empty) for step in steps] == [(False, False), (True, False), (True, True)]


def test_a_history_that_does_not_fit_says_so(app: Repository) -> None:
    image = read(app, make.image([("a", 1), ("b", 2)], make.config(history=[{"created_by": "COPY a b"}])))
    assert not image.history_fits


def test_an_image_without_history_has_a_step_for_each_layer(app: Repository) -> None:
    image = read(app, make.image([("a", 1), ("b", 2)]))
    assert image.history_fits
    assert [step.layer and step.layer.size for step in image.steps] == [1, 2]


def test_a_layer_knows_who_shares_it(local: Registry, app: Repository) -> None:
    base = make.repository(local, "base/python")
    make.put(base, make.image([("python", 30)]), "3")
    make.put(app, make.image([("python", 30), ("old", 4)]), "0.9")
    other = make.registry("other")
    make.put(make.repository(other, "elsewhere"), make.image([("only", 1), ("python", 30)]), "1")
    make.put(
        make.repository(local, "went", gone_at="2026-01-01T00:00:00Z"), make.image([("only", 1), ("gone", 1)]), "1"
    )

    image = read(app, make.image([("python", 30), ("old", 4), ("only", 1)]))
    python, old, only = (layer.sharing for layer in image.layers)
    assert (python.images_here, python.elsewhere, python.example, python.more) == (1, 1, "base/python", 0)
    assert (old.images_here, old.elsewhere, old.is_shared) == (1, 0, True)
    assert not only.is_shared
    assert (image.shared_size, image.own_size) == (34, 1)


def test_counting_who_shares_stops_at_a_bound(
    local: Registry, app: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    built = make.image([("base", 30)])
    for number in range(CAP + 5):
        make.put(make.repository(local, f"many/{number}"), built)
    make.put(app, built, "1")
    with django_assert_num_queries(1):
        sharing = sharing_of([make.blob_digest("base")], app)[make.blob_digest("base")]
    assert (sharing.elsewhere, sharing.elsewhere_is_capped) == (CAP, True)


def test_an_index_shows_the_platform_that_was_asked_for(app: Repository) -> None:
    amd64 = make.image([("a", 10)])
    arm64 = make.image([("b", 20)], make.config() | {"architecture": "arm64", "variant": "v8"})
    for child in (amd64, arm64):
        make.put(app, child)
    index = make.index([("linux/amd64", amd64), ("linux/arm64/v8", arm64)])
    presence = make.put(app, index, "1.0")
    assert read_image(presence).shown == amd64.row
    assert read_image(presence, "linux/arm64/v8").shown == arm64.row
    assert read_image(presence, "linux/nonsense").shown == amd64.row
    assert [variant.label for variant in read_image(presence).listed.variants] == ["linux/amd64", "linux/arm64/v8"]


def test_an_index_with_a_missing_child_shows_the_others(app: Repository) -> None:
    whole = make.image([("a", 10)])
    elsewhere = make.image([("b", 10)])  # known, and not in this repository
    make.put(app, whole)
    index = make.index(
        [("linux/arm64", make.blob_digest("never seen")), ("linux/s390x", elsewhere), ("linux/amd64", whole)]
    )
    presence = make.put(app, index, "1.0")
    image = read_image(presence)
    assert image.shown == whole.row
    assert [variant.name for variant in image.listed.missing] == ["linux/arm64", "linux/s390x"]
    for platform in ("linux/arm64", "linux/s390x"):
        missing = read_image(presence, platform)
        assert missing.shown is None
        assert missing.layers == []
        assert missing.variant is not None
        assert missing.variant.size is None


def test_variants_of_one_platform_go_by_their_position(app: Repository) -> None:
    old, new, unnamed = make.image([("a", 1)]), make.image([("b", 2)]), make.image([("c", 3)], {})
    index = make.index([("windows/amd64", old), ("windows/amd64", new), ("", unnamed)])
    for child in (old, new, unnamed):
        make.put(app, child)
    presence = make.put(app, index, "1.0")
    assert [variant.name for variant in read_image(presence).listed.variants] == ["0", "1", "2"]
    assert read_image(presence, "1").shown == new.row
    assert read_image(presence, "2").shown == unnamed.row


def test_attestations_are_no_platforms(app: Repository) -> None:
    amd64 = make.image([("a", 10)])
    arm64 = make.image([("b", 10)])
    about_amd64, about_arm64 = (make.image([(f"sbom {n}", 1)], kind=Manifest.Kind.ATTESTATION) for n in "ab")
    index = make.index(
        [
            (f"attests {amd64.row.digest}", about_amd64),
            ("linux/amd64", amd64),
            ("linux/arm64", arm64),
            (f"attests {arm64.row.digest}", about_arm64),
        ]
    )
    for child in (amd64, arm64, about_amd64, about_arm64):
        make.put(app, child)
    image = read_image(make.put(app, index, "1.0"))
    assert len(image.listed.variants) == 2
    assert image.shown == amd64.row
    assert [(a.digest, a.platform) for a in image.attachments] == [(about_amd64.row.digest, "linux/amd64")]


def test_an_index_without_a_variant_is_what_it_lists(
    app: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    amd64, provenance = make.image([("a", 10)]), make.image([("p", 1)], kind=Manifest.Kind.ATTESTATION)
    lost = make.image([("b", 10)])  # a registry has shown it, and not in this repository
    index = make.index(
        [("linux/amd64", amd64), ("linux/arm64", lost), (f"attests {amd64.row.digest}", provenance)],
        more={"annotations": {"who": "me"}},
    )
    make.put(app, amd64)
    make.put(app, provenance)
    presence = make.put(app, index, "1.0")
    with django_assert_num_queries(3):
        image = read_image(presence, with_variant=False)
        assert (image.shown, image.document, image.layers) == (None, None, [])
    assert [pair[0].text for pair in image.annotations.shown] == ["who"]
    every = [*image.listed.variants, *image.listed.attestations]
    assert [one.entry.digest for one in every if one.is_here] == [amd64.row.digest, provenance.row.digest]


def test_what_is_attached_is_found_by_subject_and_by_tag(local: Registry, app: Repository) -> None:
    built = make.image([("a", 10)])
    presence = make.put(app, built, "1.0")
    sbom = make.image(
        [("s", 1)], kind=Manifest.Kind.SBOM, subject=built.row.digest, artifact_type="application/spdx+json"
    )
    make.put(app, sbom)
    signature = make.image([("sig", 1)], kind=Manifest.Kind.SIGNATURE)
    make.put(app, signature, built.row.digest.replace(":", "-") + ".sig")
    foreign = make.image([("f", 1)], kind=Manifest.Kind.SBOM, subject=built.row.digest)
    make.put(make.repository(local, "other/place"), foreign)

    found = {(a.kind, a.digest, bool(a.tag)) for a in read_image(presence).attachments}
    assert found == {("sbom", sbom.row.digest, False), ("signature", signature.row.digest, True)}


def test_a_config_that_was_not_read_yet_is_not_guessed(app: Repository) -> None:
    image = read(app, make.image([("a", 10)], config_state=Manifest.ConfigState.UNREAD))
    assert image.config is None
    assert image.config_is_unread
    assert len(image.steps) == 1


def test_a_config_that_is_no_json_leaves_the_layers(app: Repository) -> None:
    built = make.image([("a", 10)], b"<html>", config_state=Manifest.ConfigState.MALFORMED, config_problem="no JSON")
    image = read(app, built)
    assert (image.config, image.config_problem) == (None, "no JSON")
    assert image.layer_count == 1


def test_a_row_that_promises_more_than_its_bytes_hold_is_said_not_raised(app: Repository) -> None:
    image = read(app, make.image([("a", 10)], b"{broken"))
    assert image.config is None
    assert image.config_problem


def test_a_malformed_manifest_is_shown_with_its_reason(app: Repository) -> None:
    image = read(app, make.malformed(), state=Presence.State.UNREADABLE)
    assert image.document is None
    assert image.document_problem == "the manifest is no JSON object"
    assert image.steps == []


def test_an_image_that_went_is_none_of_those_that_share_its_layers(app: Repository) -> None:
    make.put(app, make.image([("base", 10), ("other", 1)]), "stays")
    gone = make.put(app, make.image([("base", 10), ("own", 1)]), gone_at=timezone.now())
    RepositoryBlob.objects.filter(blob__digest=make.blob_digest("own")).delete()
    RepositoryBlob.objects.filter(blob__digest=make.blob_digest("base")).update(references=1)
    assert [layer.sharing.images_here for layer in read_image(gone).layers] == [1, 0]


def test_an_artifact_shows_its_files(app: Repository) -> None:
    built = make.image(
        [("weights.bin", 9)], b"{}", kind=Manifest.Kind.ARTIFACT, config_state=Manifest.ConfigState.NONE, titles=True
    )
    assert [layer.title for layer in read(app, built).layers] == ["weights.bin"]


def test_labels_variables_and_annotations_are_cut_to_what_a_page_can_bear(app: Repository) -> None:
    run = {"Labels": {f"l{n:05}": "x" * 3000 for n in range(500)}, "Env": [f"V{n}=1" for n in range(300)] + ["ODD"]}
    image = read(app, make.image([("a", 1)], make.config(run=run), more={"annotations": {"a": "b"}}))
    assert (len(image.labels.shown), image.labels.more, image.labels.count) == (100, 400, 500)
    assert (len(image.labels.shown[0][1].text), image.labels.shown[0][1].hidden) == (1000, 2000)
    assert image.environment.count == 301
    assert [(name.text, value.text) for name, value in image.annotations.shown] == [("a", "b")]


def test_a_huge_image_is_read_in_a_second(app: Repository) -> None:
    history = [{"created_by": f"RUN step {n} " + "x" * 300} for n in range(9_999)] + [{"created_by": "y" * 100_000}]
    built = make.image([(f"layer {n}", n) for n in range(1_000)], make.config(history=history))
    presence = make.put(app, built, "huge")
    began = time.monotonic()
    image = read_image(presence)
    assert len(image.layers) == 200
    assert len(image.steps) == 200
    assert image.more_layers == 800
    assert image.more_steps == 9_800
    assert time.monotonic() - began < 10


def test_an_image_costs_at_most_four_queries(
    app: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    children = [(f"linux/p{n}", make.image([(f"l{n}", n)])) for n in range(20)]
    for _, child in children:
        make.put(app, child)
    make.put(app, make.index(children), "1.0")
    presence = Presence.objects.select_related("repository__registry", "manifest__config").get(lead_tag="1.0")
    with django_assert_max_num_queries(4):
        image = read_image(presence, "linux/p7")
        assert image.layers


def test_raw_bytes_are_the_very_bytes(app: Repository) -> None:
    settings = make.config(run={"Labels": {"a": "<script>"}})
    built = make.image([("a", 1)], settings)
    assert raw_manifest(built.row) == built.content
    assert raw_config(built.row) == json.dumps(settings).encode()
    unread = make.image([("b", 1)], make.config(author="x"), config_state=Manifest.ConfigState.UNREAD)
    assert raw_config(unread.row) is None


def test_platforms_of_a_list_take_one_query_and_only_where_a_strange_one_is_among_them(
    app: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    amd64 = make.image([("a", 1)])
    index = make.index([("linux/amd64", amd64), ("linux/arm64", make.blob_digest("x")), ("linux/arm64", amd64)])
    strange = make.index([("plan9/mips", amd64), ("linux/arm64", amd64)])
    with django_assert_num_queries(0):
        platforms = platforms_of([amd64.row, index.row])
    assert platforms == {amd64.row.pk: ["linux/amd64"], index.row.pk: ["linux/amd64", "linux/arm64"]}
    with django_assert_num_queries(1):
        assert platforms_of([index.row, strange.row])[strange.row.pk] == ["plan9/mips", "linux/arm64"]


def test_totals_add_up_the_newest_complete_scan_of_each_registry(local: Registry) -> None:
    other = make.registry("other")
    assert totals_of([local, other]) is None
    make.scan(local, tags=1, stored=10, pushed=15)
    make.scan(local, tags=2, stored=20, pushed=50)
    make.scan(local, tags=99, complete=False)
    make.scan(other, tags=3, stored=1, pushed=1)
    totals = totals_of([local, other])
    assert totals is not None
    assert (totals.tags, totals.stored, totals.saved) == (5, 21, 30)
    alone = totals_of([other])
    assert alone is not None
    assert alone.tags == 3


def test_an_index_in_an_index_is_no_platform(app: Repository) -> None:
    linux = make.image([("a", 1)])
    inner = make.index([("linux/amd64", linux)])
    for one in (linux, inner):
        make.put(app, one)
    types = [f"{make.OCI}.manifest.v1+json", f"{make.OCI}.index.v1+json"]
    image = read(app, make.index([("linux/arm64", linux), ("", inner)], types=types))
    assert [one.label for one in image.listed.variants] == ["linux/arm64"]
    assert [(one.entry.digest, one.is_here) for one in image.listed.nested] == [(inner.row.digest, True)]


def test_an_index_of_indexes_is_not_hollow(app: Repository) -> None:
    inner = make.index([("linux/amd64", make.image())])
    image = read(app, make.index([("", inner)], types=[f"{make.OCI}.index.v1+json"]))
    assert (image.shown, image.listed.is_hollow, image.listed.variants) == (None, False, ())
    assert [one.is_here for one in image.listed.nested] == [False]


def test_docker_and_oci_may_be_mixed(app: Repository) -> None:
    docker, oci = "application/vnd.docker.distribution.manifest.v2+json", f"{make.OCI}.manifest.v1+json"
    one, two = make.image([("a", 1)], media_type=docker), make.image([("b", 2)])
    for child in (one, two):
        make.put(app, child)
    presence = make.put(app, make.index([("linux/amd64", one), ("linux/arm64", two)], types=[docker, oci]), "1.0")
    assert [variant.is_here for variant in read_image(presence).listed.variants] == [True, True]
    assert read_image(presence, "linux/amd64").layer_count == 1


def test_a_child_without_a_platform_goes_by_its_place_and_its_own_config(app: Repository) -> None:
    known, unknown = make.image([("a", 1)]), make.image([("b", 1)], {})
    for child in (known, unknown):
        make.put(app, child)
    listed = read(app, make.index([("", known), ("", unknown)])).listed
    assert [variant.label for variant in listed.variants] == ["linux/amd64 (entry 1)", "entry 2"]


def test_versions_of_windows_are_told_apart(app: Repository) -> None:
    children = [make.image([(f"{n}", 1)], make.config(os="windows")) for n in range(2)]
    for child in children:
        make.put(app, child)
    versions = ["10.0.17763.1", "10.0.20348.2"]
    presence = make.put(app, make.index([("windows/amd64", c) for c in children], versions=versions), "1.0")
    found = read_image(presence, "1")
    assert [variant.label for variant in found.listed.variants] == [f"windows/amd64 {v}" for v in versions]
    assert found.variant is not None
    assert found.variant.os_version == "10.0.20348.2"


def test_an_index_of_blobs_is_a_build_cache_and_none_of_its_layers_is_missing(app: Repository) -> None:
    blobs = [("", make.blob_digest(name)) for name in ("a", "b", "c")]
    image = read(app, make.index(blobs, types=[make.LAYER, make.LAYER, "application/vnd.buildkit.cacheconfig.v0"]))
    assert image.artifact is not None
    assert str(image.artifact.name) == "Build cache"
    assert (image.layer_count, image.holds_files, image.listed.missing) == (3, True, ())


def test_a_chart_is_read_as_a_chart(app: Repository) -> None:
    image = read(app, artifacts.chart())
    assert image.chart is not None
    assert (image.chart.name, image.config, image.config_problem) == ("platform", None, "")
    broken = read(app, artifacts.chart(b"<html>", "other.tgz"))
    assert (broken.chart, broken.config_problem[:10]) == (None, "the config")


def test_an_image_is_no_artifact_and_what_is_none_says_what_it_is(app: Repository) -> None:
    assert read(app, make.image()).artifact is None
    bottle = make.image([("bottle", 1)], more={"annotations": {"sh.brew.bottle.digest": "x"}})
    wasm = artifacts.artifact([("f.wasm", 1)], artifact_type="application/vnd.wasm.config.v0+json")
    assert [str(image.artifact and image.artifact.name) for image in (read(app, bottle), read(app, wasm))] == [
        "Homebrew bottle",
        "WebAssembly module",
    ]
