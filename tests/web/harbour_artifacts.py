"""What a believable registry holds besides plain images: charts, modules, models, caches, and what is attached."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from catalog.models import Manifest, Repository
from registries.models import Registry
from tests.web import furniture as make
from tests.web.furniture import Built

HELM_CONFIG: Final = "application/vnd.cncf.helm.config.v1+json"
HELM_LAYER: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_EMPTY: Final = "application/vnd.oci.empty.v1+json"
_SIGNED: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
_PREDICATE: Final = "in-toto.io/predicate-type"

CHART: Final[dict[str, Any]] = {
    "apiVersion": "v2",
    "name": "platform",
    "version": "1.27.3",
    "appVersion": "1.27.3",
    "description": "The services of the platform, and the jobs that look after them.",
    "type": "application",
    "kubeVersion": ">=1.29.0",
    "home": "https://platform.example.org",
    "sources": ["https://git.example.org/platform/charts"],
    "keywords": ["platform", "api"],
    "maintainers": [{"name": "Ana Kivi", "email": "ana@example.org", "url": "https://example.org/ana"}],
    "dependencies": [
        {"name": "postgresql", "version": "15.5.0", "repository": "oci://registry.example.org/charts", "alias": "db"}
    ],
    "annotations": {"artifacthub.io/license": "Apache-2.0"},
}


def artifact(layers: list[tuple[str, int]], **fields: Any) -> Built:
    """What is no image: with an empty config, and titles on its layers."""
    given = {"kind": Manifest.Kind.ARTIFACT, "config_type": _EMPTY, "titles": True, "settings": b"{}"}
    return make.image(layers, **{**given, "config_state": Manifest.ConfigState.NONE, **fields})


def chart(document: dict[str, Any] | bytes = CHART, name: str = "platform-1.27.3.tgz", size: int = 48_000) -> Built:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return make.image(
        [(name, size)],
        content,
        kind=Manifest.Kind.CHART,
        config_type=HELM_CONFIG,
        layer_type=HELM_LAYER,
        artifact_type=HELM_CONFIG,
    )


def with_layers(layers: list[dict[str, Any]], **fields: Any) -> Built:
    """An artifact whose layers are told apart: each is (part of) a descriptor, its digest by its number."""
    descriptors = [
        {"digest": make.blob_digest(f"part {number} {layers}"), "size": 240 + number, **layer}
        for number, layer in enumerate(layers)
    ]
    built = artifact([], **{**fields, "more": {"layers": descriptors, **fields.get("more", {})}})
    built.row.size, built.row.layer_count = sum(one["size"] for one in descriptors), len(descriptors)
    built.row.save()
    return built


def statement(*predicates: str, seed: str = "") -> Built:
    """What BuildKit attaches: an in-toto statement for each predicate."""
    layers = [
        {"mediaType": "application/vnd.in-toto+json", "annotations": {_PREDICATE: predicate, "seed": seed}}
        for predicate in predicates
    ]
    return with_layers(layers, kind=Manifest.Kind.ATTESTATION, artifact_type="application/vnd.in-toto+json")


def signatures(count: int, seed: str = "") -> Built:
    """What cosign writes: one manifest, a layer for each signature."""
    layers = [{"mediaType": _SIGNED, "annotations": {"seed": f"{seed} {n}"}} for n in range(count)]
    return with_layers(layers, kind=Manifest.Kind.SIGNATURE, artifact_type=_SIGNED)


def build(where: Registry) -> Repository:
    row = make.repository(where, "odd/artifacts")
    make.put(row, chart(), "chart-1.27.3", dated=timezone.now() - timedelta(hours=2))
    wasm = artifact(
        [("filter.wasm", 1_800_000)],
        artifact_type="application/vnd.wasm.config.v0+json",
        layer_type="application/wasm",
        more={"annotations": {"org.opencontainers.image.title": "filter", "org.example.odd": "kept as it is"}},
    )
    make.put(row, wasm, "wasm")
    model = with_layers(
        [
            {"mediaType": "application/vnd.ollama.image.model", "size": 4_100_000_000},
            {"mediaType": "application/vnd.ollama.image.template", "size": 1_400},
            {"mediaType": "application/vnd.ollama.image.license", "size": 11_300},
        ],
        artifact_type="application/vnd.ollama.image.model",
    )
    make.put(row, model, "llm")
    cache = make.index(
        [("", make.blob_digest("cached a")), ("", make.blob_digest("cached b")), ("", make.blob_digest("cache"))],
        types=[make.LAYER, make.LAYER, "application/vnd.buildkit.cacheconfig.v0"],
    )
    make.put(row, cache, "buildcache")
    linux = make.image([("inner linux", 9_000_000)])
    make.put(row, linux)
    inner = make.index([("linux/amd64", linux)])
    make.put(row, inner)
    old, new = (make.image([(f"windows {n}", 90_000_000 + n)], make.config(os="windows")) for n in range(2))
    for child in (old, new):
        make.put(row, child)
    outer = make.index(
        [("windows/amd64", old), ("windows/amd64", new), ("", linux), ("", inner)],
        types=[*[f"{make.OCI}.manifest.v1+json"] * 3, f"{make.OCI}.index.v1+json"],
        versions=["10.0.17763.6414", "10.0.20348.2762", "", ""],
    )
    make.put(row, outer, "mixed", size=189_000_000)
    return make.settle(row)
