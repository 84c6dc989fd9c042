from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oci.document import Malformed
from oci.errors import BadAnswer
from oci.media_types import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, SCHEMA1
from oci.model import Descriptor, ImageIndex, ImageManifest, Platform, Schema1Manifest, parse_manifest
from oci.names import Digest

IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def pointer(number: int = 0, size: Any = 10, media_type: str = LAYER, **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{number:064x}", "size": size, **more}


def image(**more: Any) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": pointer(0, 2, IMAGE_CONFIG),
        "layers": [pointer(1), pointer(2)],
        **more,
    }


def index(*manifests: Any, **more: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(manifests), **more}


def parse(document: Any, media_type: str = "") -> Any:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse_manifest(media_type, content)


# -- what is read -----------------------------------------------------------------------------------------------


def test_an_image_manifest_keeps_what_it_says_and_its_bytes() -> None:
    content = json.dumps(image(annotations={"a": "b"}, subject=pointer(9, 5, OCI_MANIFEST)), indent=3).encode()

    manifest = parse_manifest(f"{OCI_MANIFEST}; charset=utf-8", content)

    assert isinstance(manifest, ImageManifest)
    assert manifest.content == content
    assert manifest.media_type == OCI_MANIFEST
    assert manifest.config == Descriptor(IMAGE_CONFIG, Digest("sha256", "0" * 64), 2)
    assert [layer.size for layer in manifest.layers] == [10, 10]
    assert manifest.subject is not None
    assert manifest.subject.size == 5
    assert manifest.annotations == {"a": "b"}
    assert "content" not in repr(manifest)
    assert len({manifest, manifest}) == 1


def test_a_layer_that_is_listed_twice_is_pulled_once() -> None:
    assert parse(image(layers=[pointer(1), pointer(1), pointer(2)])).size == 22


def test_an_index_lists_platforms_and_attestations() -> None:
    about = f"sha256:{1:064x}"
    said = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about}
    manifest = parse(
        index(
            pointer(1, platform={"os": "linux", "architecture": "arm64", "variant": "v8"}),
            pointer(2, platform={"os": "windows", "architecture": "amd64", "os.version": "10.0.17763.1"}),
            pointer(3, platform={"os": "unknown", "architecture": "unknown"}, annotations=said),
            pointer(4, platform={}),
            pointer(5, annotations=said | {"vnd.docker.reference.digest": "nonsense"}),
        ),
    )

    assert isinstance(manifest, ImageIndex)
    assert manifest.platforms == (Platform("linux", "arm64", "v8"), Platform("windows", "amd64", "", "10.0.17763.1"))
    assert [str(platform) for platform in manifest.platforms] == ["linux/arm64/v8", "windows/amd64"]
    assert [d.is_attestation for d in manifest.manifests] == [False, False, True, False, True]
    assert [str(d.attests) for d in manifest.manifests] == ["None", "None", about, "None", "None"]


@pytest.mark.parametrize("name", ["layers", "annotations", "subject", "artifactType", "mediaType"])
def test_what_go_writes_as_null_is_as_absent(name: str) -> None:
    assert isinstance(parse(image(**{name: None}), OCI_MANIFEST), ImageManifest)


@pytest.mark.parametrize(
    ("said", "document", "expected"),
    [
        (DOCKER_MANIFEST, image(mediaType=DOCKER_MANIFEST), DOCKER_MANIFEST),
        (DOCKER_LIST, index(mediaType=DOCKER_LIST), DOCKER_LIST),
        (OCI_MANIFEST.upper() + " ; x=y", image(), OCI_MANIFEST),
        (OCI_MANIFEST, image(mediaType=None), OCI_MANIFEST),
        ("application/json", image(mediaType=DOCKER_MANIFEST), DOCKER_MANIFEST),
        ("", index(mediaType=DOCKER_LIST), DOCKER_LIST),
        ("text/plain; charset=utf-8", image(), OCI_MANIFEST),
        ("application/octet-stream", image(mediaType=None), OCI_MANIFEST),
        ("", index(mediaType=None), OCI_INDEX),
    ],
)
def test_the_type_is_what_the_header_says_then_the_document_then_its_shape(
    said: str,
    document: Any,
    expected: str,
) -> None:
    assert parse(document, said).media_type == expected


@pytest.mark.parametrize("said", sorted(SCHEMA1))
def test_schema_1_is_recognised_and_not_read(said: str) -> None:
    assert parse(b"anything", said) == Schema1Manifest(said, b"anything")
    assert isinstance(parse({"schemaVersion": 1}), Schema1Manifest)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b'{"signatures": 5}', b'{"signatures": [{}]}', b'{"signatures": [{"protected": "!"}]}',
        b'{"signatures": [{"protected": 5}]}',
        b'{"signatures": [{"protected": "eyJmb3JtYXRMZW5ndGgiOi01fQ"}]}',
    ],
)  # fmt: skip
def test_a_schema_1_manifest_that_does_not_say_what_it_signs_is_a_bad_answer(content: bytes) -> None:
    with pytest.raises(BadAnswer):
        _ = Schema1Manifest("", content).payload


KINDS = [
    ("image", image()),
    ("image", image(mediaType=DOCKER_MANIFEST, config=pointer(0, 2, "application/vnd.docker.container.image.v1+json"))),
    ("image", image(layers=[])),
    ("image", image(artifactType=IMAGE_CONFIG)),
    ("image", image(layers=[pointer(1), pointer(2, media_type="application/vnd.in-toto+json")])),
    ("artifact", image(artifactType="application/vnd.example")),
    ("artifact", image(config=pointer(0, 2, "application/vnd.oci.empty.v1+json"))),
    ("chart", image(config=pointer(0, 2, "application/vnd.cncf.helm.config.v1+json"))),
    ("signature", image(layers=[pointer(1, media_type="application/vnd.dev.cosign.simplesigning.v1+json")])),
    ("signature", image(artifactType="application/vnd.cncf.notary.signature")),
    ("signature", image(config=pointer(0, 2, "application/vnd.cncf.notary.signature"), layers=[pointer(1)])),
    ("signature", image(artifactType="application/vnd.dev.sigstore.bundle.v0.3+json")),
    (
        "attestation",
        image(
            artifactType="application/vnd.dev.sigstore.bundle.v0.3+json",
            annotations={"dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1"},
        ),
    ),
    ("attestation", image(layers=[pointer(n, media_type="application/vnd.in-toto+json") for n in (1, 2)])),
    ("attestation", image(layers=[pointer(1, media_type="application/vnd.dsse.envelope.v1+json")])),
    ("sbom", image(artifactType="application/spdx+json")),
    ("sbom", image(layers=[pointer(1, media_type="application/vnd.cyclonedx+json")])),
]


@pytest.mark.parametrize(("kind", "document"), KINDS)
def test_a_manifest_is_what_people_would_call_it(kind: str, document: Any) -> None:
    assert parse(document, document["mediaType"]).kind == kind


# -- what is refused --------------------------------------------------------------------------------------------

SIZES: list[Any] = [-1, 2**63, 10**400, 12.5, 12.0, True, None, "12", [], {}]


@pytest.mark.parametrize("size", SIZES)
def test_a_size_is_a_whole_number_that_a_database_can_hold(size: Any) -> None:
    for document in (
        image(layers=[pointer(1, size)]),
        image(config=pointer(1, size, IMAGE_CONFIG)),
        image(subject=pointer(1, size)),
        index(pointer(1, size)),
    ):
        with pytest.raises(BadAnswer, match=r"\.size is not a whole number|cannot be read"):
            parse(document)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "9" * 5000, "01", "0x1"])
def test_numbers_that_json_does_not_have_are_refused(number: str) -> None:
    content = json.dumps(image()).replace('"size": 10', f'"size": {number}').encode()

    with pytest.raises(BadAnswer):
        parse(content)


@pytest.mark.parametrize(
    "more", ['"layers": []', '"mediaType": "x"', '"x": NaN', '"x": [Infinity]', '"x": {"y": 1, "y": 2}']
)
def test_what_readers_of_json_differ_on_is_refused_wherever_it_stands(more: str) -> None:
    content = json.dumps(image()).replace("{", "{" + more + ", ", 1).encode()

    with pytest.raises(BadAnswer, match="cannot be read as JSON"):
        parse(content, OCI_MANIFEST)


def test_a_blob_of_more_than_sixteen_tebibytes_was_made_to_break_sums() -> None:
    assert parse(image(layers=[pointer(1, 2**44)])).size == 2**44 + 2
    with pytest.raises(BadAnswer, match="more than 16 TiB"):
        parse(image(layers=[pointer(1, 2**44 + 1)]))
    with pytest.raises(BadAnswer, match="more than 16 TiB"):
        parse(index(pointer(1, 2**62)))


MALFORMED = [
    b"", b"nonsense", b"null", b"[]", b'"a"', b"5", b"\xff\xfe{}", b"\xef\xbb\xbf{}",
    json.dumps(image()).encode("utf-16"),
    b"[" * 100_000, b'{"a":' * 100_000, b'{"schemaVersion": 2, "schemaVersion": 2}', b'{"config": {}, "config": {}}',
    b"{}", b'{"schemaVersion": 2}',
    image(layers=5), image(layers={}), image(layers=[5]), image(layers=[None]), image(layers="abc"),
    image(layers=[{}]),
    image(config=None), image(config=[]), image(config="x"), image(schemaVersion=1.5), image(schemaVersion="2"),
    image(mediaType=5),
    image(annotations=[]), image(annotations={"a": 1}), image(annotations={"a": {"b": "c"}}),
    image(annotations="x"),
    image(annotations={"a": "\ud800"}), image(annotations={"\ud800": "a"}), image(annotations={"a": "\0"}),
    image(artifactType=5),
    image(subject=5), image(subject={}), image(subject=[]), image(layers=[pointer(1, platform=[])]),
    image(layers=[pointer(1, platform={"os": 5})]),
    image(layers=[pointer(1, media_type="")]), image(layers=[pointer(1, media_type="a\nb")]),
    image(layers=[pointer(1, media_type="a" * 256)]),
    image(layers=[pointer(1) | {"digest": "sha256:../../x"}]), image(layers=[pointer(1) | {"digest": 5}]),
    image(layers=[pointer(1) | {"digest": "md5:d41d8cd98f00b204e9800998ecf8427e"}]),
    image(layers=[pointer(1) | {"digest": f"sha256:{'A' * 64}"}]),
    image(layers=[pointer(1, 10), pointer(1, 11)]), index(pointer(1, 10), pointer(1, 11)),
    image(manifests=[]), index(layers=[]), index(config=pointer()),
    index() | {"manifests": {}}, index(5), index() | {"manifests": "x"},
]  # fmt: skip


@pytest.mark.parametrize("document", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_manifest_is_a_bad_answer_with_a_sentence(document: Any) -> None:
    with pytest.raises(BadAnswer) as error:
        parse(document)

    assert str(error.value).startswith("the manifest ")
    assert len(str(error.value)) < 400
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("said", "document"),
    [
        (DOCKER_MANIFEST, image()),
        (OCI_INDEX, image()),
        (OCI_MANIFEST, index()),
        (OCI_MANIFEST, index(mediaType=None)),
        (OCI_INDEX, image(mediaType=None)),
        ("text/html", image()),
        ("application/vnd.oci.artifact.manifest.v1+json", image()),
        ("application/json", image(mediaType="application/vnd.example")),
        (OCI_MANIFEST, image(schemaVersion=1)),
    ],
)
def test_a_document_and_its_content_type_must_agree(said: str, document: Any) -> None:
    with pytest.raises(BadAnswer):
        parse(document, said)


def test_lists_are_bounded() -> None:
    assert len(parse(image(layers=[pointer(n) for n in range(1, 10_001)])).layers) == 10_000
    assert len(parse(index(*(pointer(n) for n in range(1000)))).manifests) == 1000
    with pytest.raises(BadAnswer, match="layers has 10001 entries"):
        parse(image(layers=[pointer(n) for n in range(1, 10_002)]))
    with pytest.raises(BadAnswer, match="manifests has 1001 entries"):
        parse(index(*(pointer(n) for n in range(1001))))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["schemaVersion", "mediaType", "config", "layers", "manifests", "subject", "artifactType", "annotations"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.sampled_from(["", OCI_MANIFEST, OCI_INDEX, DOCKER_LIST]))
def test_whatever_a_document_holds_it_is_read_or_refused(document: Any, media_type: str) -> None:
    for content in (document, image(**document), index(**document)):
        with contextlib.suppress(BadAnswer):
            parse(content, media_type)


@given(st.binary(), st.text())
def test_whatever_comes_it_is_read_or_refused(content: bytes, media_type: str) -> None:
    with contextlib.suppress(BadAnswer):
        parse(content, media_type)


@pytest.mark.parametrize("size", [True, 1.0, "1", None, -1])
def test_a_size_that_looks_like_one_that_was_read_is_judged_by_itself(size: Any) -> None:
    """Descriptors that say no more than they must are remembered; true is not 1, nor is 1.0."""
    digest = f"sha256:{'5' * 64}"
    Descriptor.from_json({"mediaType": "a/b", "digest": digest, "size": 1}, "layers[0]")

    with pytest.raises(Malformed, match=r"layers\[1\]\.size"):
        Descriptor.from_json({"mediaType": "a/b", "digest": digest, "size": size}, "layers[1]")
