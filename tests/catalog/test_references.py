from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.searching.references import Name, Pasted

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("docker pull golang", "docker.io/library/golang:latest"),
        ("$ docker pull --platform linux/arm64 reg.lab:5000/team/app:1.4", "reg.lab:5000/team/app:1.4"),
        ("sudo docker run --rm -it -e A=b -p 80:80 alpine:3.20 sh -c ls", "docker.io/library/alpine:3.20"),
        ("FROM --platform=$BUILDPLATFORM golang:1.22-alpine AS build", "docker.io/library/golang:1.22-alpine"),
        ("from quay.io/team/base", "quay.io/team/base:latest"),
        (f"  - image: 'ghcr.io/a/b@{DIGEST}'", f"ghcr.io/a/b@{DIGEST}"),
        ('"image": "ghcr.io/a/b:2",', "ghcr.io/a/b:2"),
        ("skopeo copy docker://alpine docker://reg.example.org/a:1", "docker.io/library/alpine:latest"),
        ("helm pull oci://reg.example.org/charts/app --version 1.2.3", "reg.example.org/charts/app:1.2.3"),
        ("https://reg.example.org:5000/v2/team/app/manifests/1.0", "reg.example.org:5000/team/app:1.0"),
        (f"http://reg.example.org/v2/app/manifests/{DIGEST}", f"reg.example.org/app@{DIGEST}"),
        ("https://hub.docker.com/_/golang", "docker.io/library/golang:latest"),
        ("https://hub.docker.com/r/grafana/loki/tags", "docker.io/grafana/loki:latest"),
        ("team/app:1.4", "docker.io/team/app:1.4"),
        ("localhost:5000/app", "localhost:5000/app:latest"),
        ("docker://reg.example.org/app", "reg.example.org/app:latest"),
    ],
)
def test_a_reference_is_found_in_what_people_paste(text: str, reference: str) -> None:
    pasted = Pasted.find(text)

    assert pasted is not None
    assert str(pasted.reference) == reference


@pytest.mark.parametrize(
    "text", ["", "nginx", "team/app", "docker", "docker pull", "docker pull --all", "hello world", "1.27", "a" * 64]
)
def test_words_to_search_for_are_no_reference(text: str) -> None:
    assert Pasted.find(text) is None


def test_each_part_says_whether_it_was_typed() -> None:
    def parts(text: str) -> dict[Name, tuple[str, bool]]:
        pasted = Pasted.find(text)
        assert pasted is not None
        return {part.name: (part.value, part.is_default) for part in pasted.parts}

    assert parts("docker pull golang") == {
        Name.REGISTRY: ("docker.io", True),
        Name.NAMESPACE: ("library", True),
        Name.REPOSITORY: ("golang", False),
        Name.TAG: ("latest", True),
    }
    assert parts(f"reg.lab:5000/a/b/c:1@{DIGEST}") == {
        Name.REGISTRY: ("reg.lab:5000", False),
        Name.NAMESPACE: ("a/b", False),
        Name.REPOSITORY: ("c", False),
        Name.TAG: ("1", False),
        Name.DIGEST: (DIGEST, False),
    }


@given(st.text(max_size=200))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    Pasted.find(text)
    Pasted.find(f"docker pull {text}")
