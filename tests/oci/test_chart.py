from __future__ import annotations

import json
from typing import Any

import pytest

from oci.chart import Chart, Dependency, Maintainer, parse_chart
from oci.errors import BadAnswer


def chart(**fields: Any) -> Chart:
    return parse_chart(json.dumps(fields).encode())


def test_a_chart_tells_what_its_chart_yaml_says() -> None:
    found = chart(
        apiVersion="v2",
        name="platform",
        version="1.2.3",
        appVersion="9",
        description="All of it",
        type="application",
        kubeVersion=">=1.29",
        home="https://example.org",
        icon="https://example.org/icon.svg",
        deprecated=True,
        sources=["https://git.example.org"],
        keywords=["a", "b"],
        maintainers=[{"name": "Ana", "email": "ana@example.org", "url": "https://example.org/ana"}],
        dependencies=[{"name": "db", "version": "1", "repository": "oci://r", "condition": "db.on", "alias": "store"}],
        annotations={"a": "b"},
    )
    assert found == Chart(
        name="platform",
        version="1.2.3",
        app_version="9",
        description="All of it",
        type="application",
        api_version="v2",
        kube_version=">=1.29",
        home="https://example.org",
        icon="https://example.org/icon.svg",
        is_deprecated=True,
        sources=("https://git.example.org",),
        keywords=("a", "b"),
        maintainers=(Maintainer("Ana", "ana@example.org", "https://example.org/ana"),),
        dependencies=(Dependency("db", "1", "oci://r", "db.on", "store"),),
        annotations={"a": "b"},
    )


def test_nonsense_in_one_field_is_unknown_and_the_others_are_told() -> None:
    odd: dict[str, Any] = {
        "version": 1.2,
        "deprecated": "yes",
        "sources": "https://x",
        "maintainers": [None, 7, {"name": ["x"], "email": "a@b"}],
        "dependencies": {"name": "x"},
        "annotations": {"a": 1, "b": "c"},
        "keywords": ["a", None],
        "description": "a\0b",
    }
    found = chart(name="platform", **odd)
    assert (found.name, found.version, found.is_deprecated, found.sources) == ("platform", "", False, ())
    assert found.maintainers == (Maintainer(), Maintainer(), Maintainer(email="a@b"))
    assert (found.dependencies, found.annotations, found.keywords, found.description) == ((), {"b": "c"}, (), "")


@pytest.mark.parametrize("content", [b"", b"[]", b"<html>", b'{"a": NaN}', b"[" * 100_000])
def test_what_is_no_object_is_no_chart(content: bytes) -> None:
    with pytest.raises(BadAnswer):
        parse_chart(content)
