"""A believable registry: what the screenshots show and the browser walks through."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from catalog.models import Manifest, Presence, Repository, Scan, Tag
from catalog.policy import Holdings
from catalog.recording.repositories import summary
from catalog.scanning.shrinking import question
from cleanup.models import Check
from jobs.models import Job
from notices.models import Subscription
from oci.errors import Unreachable
from registries.models import Registry
from tests.web import furniture as make
from tests.web import (
    harbour_acts,
    harbour_artifacts,
    harbour_checks,
    harbour_commands,
    harbour_events,
    harbour_notices,
    harbour_pins,
    harbour_readme,
    harbour_retention,
    harbour_scans,
    harbour_sources,
    harbour_storage,
    harbour_sweeps,
    harbour_sync,
    harbour_untagged,
)
from tests.web.furniture import Built
from tests.web.harbour_acts import Acts
from tests.web.harbour_retention import RetentionRuns
from tests.web.harbour_sweeps import Sweeps
from tests.web.harbour_sync import Runs

_NAMES: Final = (
    ("platform/api", 98, "1.27.3"),
    ("platform/gateway", 44, "2.9.0"),
    ("platform/auth/tokens", 31, "0.9.4"),
    ("ml/embedder", 910, "0.14.1-cuda12"),
    ("ml/reranker", 640, "0.3.0"),
    ("data/ingest-worker", 210, "main-8c1f20e"),
    ("data/warehouse/loader", 180, "2026.11.20"),
    ("base/python", 52, "3.13-slim"),
    ("base/node", 61, "22-alpine"),
    ("base/debian", 29, "bookworm-slim"),
    ("payments/ledger", 120, "7.2.0"),
    ("payments/invoices", 88, "3.1.0"),
    ("web/storefront", 140, "2026.11.21"),
    ("web/admin", 77, "5.0.1"),
    ("tools/lint", 33, "latest"),
    ("hello", 1, "1.0"),
)
_BASE: Final = [("debian", 28_200_000), ("packages", 3_400_000), ("cpython", 11_900_000)]
_HISTORY: Final = [
    {"created_by": "/bin/sh -c #(nop) ADD file:debian-bookworm-slim.tar.xz in / ", "created": "2026-11-02T00:00:00Z"},
    {"created_by": "/bin/sh -c #(nop)  ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/bin", "empty_layer": True},
    {
        "created_by": "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends ca-certificates "
        "netbase tzdata && rm -rf /var/lib/apt/lists/* # buildkit",
        "comment": "buildkit.dockerfile.v0",
    },
    {"created_by": "RUN /bin/sh -c build and install CPython 3.13.9 from source, strip tests # buildkit"},
    {"created_by": "WORKDIR /srv/app", "empty_layer": True},
    {"created_by": "COPY requirements.lock ./ # buildkit"},
    {"created_by": "RUN /bin/sh -c pip install --no-cache-dir --require-hashes -r requirements.lock # buildkit"},
    {"created_by": "COPY --chown=10001:10001 static/ static/ # buildkit"},
    {"created_by": "COPY --chown=10001:10001 src/ src/ # buildkit"},
    {"created_by": "USER 10001:10001", "empty_layer": True},
    {"created_by": 'ENTRYPOINT ["/srv/app/entrypoint" "--bind" "0.0.0.0:8080"]', "empty_layer": True},
]
_TESTED: Final = {"capabilities": {"generation": 2, "catalog_allowed": True, "page_size": 1000, "deletes": True}}
_LABELS: Final = {
    "org.opencontainers.image.description": "Answers what the platform is asked: accounts, orders, jobs.",
    "org.opencontainers.image.source": "https://gitlab.example.org/platform/api",
    "org.opencontainers.image.revision": "8c1f20e6b2a94d0f",
    "org.opencontainers.image.licenses": "Apache-2.0",
    "com.example.team": "platform",
}


@dataclass(frozen=True)
class Harbour:
    """Where the walk goes."""

    registry: Registry
    api: Repository
    odd: Repository
    scan: Job
    question: Job
    ended: Job
    last: Scan
    acts: Acts
    told: Subscription
    runs: Runs
    check: Check
    untagged: harbour_untagged.Runs
    retention: RetentionRuns
    sweeps: Sweeps
    collections: harbour_commands.Runs


def build() -> Harbour:
    where = make.registry(
        "local", url="http://127.0.0.1:5000", public_name="registry.lab.internal:5000", plain_http=True, **_TESTED
    )
    chance = random.Random(7)  # noqa: S311  believable, not secret
    for number in range(1, len(_NAMES)):
        _plain(where, number, chance)
    api = _api(where)
    odd = _odd(where)
    harbour_readme.build(api, Repository.objects.get(name="payments/ledger"))
    harbour_artifacts.build(where)
    harbour_events.build(where)
    make.repository(where, "team/abandoned", state=Repository.State.EMPTY, changed_at=_ago(days=90))
    make.repository(
        where,
        "legacy/reports",
        state=Repository.State.FAILED,
        problem="GET v2/legacy/reports/tags/list was refused with 500: UNKNOWN unknown error",
    )
    _gone(where)
    edge = make.registry("edge", url="https://edge.example.org")
    hub = harbour_sources.build(where)
    jobs = _jobs(where, edge)
    last = harbour_scans.build(where, edge, api)
    harbour_storage.build(where)
    acts, told = harbour_acts.build(api), harbour_notices.build(where)
    harbour_pins.build(api)
    return Harbour(
        *(where, api, odd, *jobs, last, acts, told),
        runs=harbour_sync.build(where, hub),
        check=harbour_checks.build(where, edge),
        untagged=harbour_untagged.build(where, edge),
        retention=harbour_retention.build(where),
        sweeps=harbour_sweeps.build(where, edge),
        collections=harbour_commands.build(edge),
    )


def _ago(**age: float) -> datetime:
    return timezone.now() - timedelta(**age)


def _settings(architecture: str = "amd64", **more: Any) -> dict[str, Any]:
    return make.config(
        architecture=architecture,
        created="2026-11-24T23:56:10Z",
        history=_HISTORY,
        run={
            "User": "10001:10001",
            "ExposedPorts": {"8080/tcp": {}},
            "Entrypoint": ["/srv/app/entrypoint", "--bind", "0.0.0.0:8080"],
            "Cmd": ["serve"],
            "WorkingDir": "/srv/app",
            "StopSignal": "SIGTERM",
            "Env": ["PATH=/usr/local/bin:/usr/local/sbin:/usr/bin", "PORT=8080", "LANG=C.UTF-8", "API_TOKEN=t0psecret"],
            "Labels": _LABELS,
            "Volumes": {"/srv/data": {}},
        },
        **more,
    )


def _app(name: str, architecture: str = "amd64", scale: float = 1.0) -> Built:
    base = [(f"{layer}-{architecture}", size) for layer, size in _BASE]
    own = [("lock", 20_000), ("wheels", 41_700_000), ("static", 8_600_000), ("src", 4_500_000)]
    layers = base + [(f"{name}-{layer}-{architecture}", int(size * scale)) for layer, size in own]
    return make.image(layers, _settings(architecture), created=_ago(minutes=9))


def _plain(where: Registry, number: int, chance: random.Random) -> None:
    name, megabytes, tag = _NAMES[number]
    row = make.repository(where, name)
    children = [
        (f"linux/{arch}", _app(f"{name}-{tag}", arch, megabytes / 55))
        for arch in ("amd64", "arm64", "s390x", "riscv64")
    ]
    platforms = children[: chance.choice([1, 2, 2, 4])]
    built = make.index(platforms)
    for _, child in platforms:
        make.put(row, child)
    size = sum(child.row.size for _, child in platforms)
    make.put(row, built, tag, dated=_ago(hours=number * number), dated_by=Presence.DatedBy.CREATED, size=size)
    make.settle(row)
    row.tag_count = chance.randrange(3, 400)
    row.save()


def _api(where: Registry) -> Repository:
    """The repository that the walk looks into: aliases, platforms, attachments."""
    row = make.repository(where, "platform/api")
    amd64, arm64 = _app("api-1.27.3"), _app("api-1.27.3", "arm64", 0.97)
    attests = harbour_artifacts.statement("https://slsa.dev/provenance/v0.2", "https://spdx.dev/Document")
    built = make.index(
        [("linux/amd64", amd64), ("linux/arm64", arm64), (f"attests {amd64.row.digest}", attests)],
        created=_ago(minutes=4),
    )
    for child in (amd64, arm64, attests):
        make.put(row, child)
    size = amd64.row.size + arm64.row.size
    make.put(row, built, "1.27.3", "latest", "stable", "1.27", size=size, dated=_ago(minutes=4))
    signature = harbour_artifacts.signatures(2)
    make.put(row, signature, f"{built.row.digest.replace(':', '-')}.sig", dated=_ago(minutes=3))
    make.put(make.repository(where, "release/api"), built, "2026.11", size=size, dated=_ago(minutes=2))
    for number in range(2, 64):
        one = _app(f"api-{number}", scale=1 + number / 90)
        names = [f"1.{26 - number // 4}.{number % 4}"]
        names += [f"sha-{make.digest_of(str(number).encode())[7:14]}"] if number % 3 == 0 else []
        names += [f"1.{26 - number // 4}"] if number % 4 == 3 else []
        make.put(row, one, *names, dated=_ago(hours=number * 7), dated_by=Presence.DatedBy.CREATED)
    many = _app("api-nightly", scale=1.4)
    make.put(
        row,
        many,
        "nightly",
        *[f"nightly-2026{month:02}{day:02}" for month in (9, 10) for day in range(1, 15)],
        dated=_ago(hours=20),
    )
    return make.settle(row)


def _odd(where: Registry) -> Repository:
    """What real registries hold as well: everything in it is broken in its own way."""
    row = make.repository(where, "odd/things")
    whole = make.image([("whole", 12_000_000)], _settings())
    make.put(row, whole)
    missing = make.index([("linux/amd64", whole), ("linux/arm64", make.blob_digest("never seen"))])
    make.put(row, missing, "half", size=12_000_000, state=Presence.State.INCOMPLETE, problem="linux/arm64 is not here")
    unread = make.image([("unread", 9_000_000)], config_state=Manifest.ConfigState.UNREAD)
    make.put(row, unread, "unread", dated_by=Presence.DatedBy.FOUND)
    broken = make.image(
        [("broken", 9_100_000)],
        b"<html>",
        config_state=Manifest.ConfigState.MALFORMED,
        config_problem="the image config is no JSON object",
    )
    make.put(row, broken, "no-json", dated=_ago(days=2))
    ancient = make.image([("ancient", 7_000_000)], make.config(created="1970-01-01T00:00:00Z", history=_HISTORY[:3]))
    make.put(row, ancient, "reproducible", dated_by=Presence.DatedBy.FOUND)
    make.put(
        row, make.malformed(), "garbage", state=Presence.State.UNREADABLE, problem="the manifest is no JSON object"
    )
    unread_chart = make.image(
        [("api-1.27.3.tgz", 48_000)],
        b"{}",
        kind=Manifest.Kind.CHART,
        config_state=Manifest.ConfigState.UNREAD,
        config_type=harbour_artifacts.HELM_CONFIG,
        layer_type=harbour_artifacts.HELM_LAYER,
        artifact_type=harbour_artifacts.HELM_CONFIG,
    )
    make.put(row, unread_chart, "chart-1.27.3", dated=_ago(days=6))
    model = make.image(
        [("weights.safetensors", 2_400_000_000), ("tokenizer.json", 1_800_000)],
        b"{}",
        kind=Manifest.Kind.ARTIFACT,
        config_state=Manifest.ConfigState.NONE,
        artifact_type="application/vnd.example.model.v1",
        titles=True,
        config_type="application/vnd.oci.empty.v1+json",
        layer_type="application/octet-stream",
    )
    make.put(row, model, "model", dated=_ago(days=7))
    make.lose_tag(row, "vanished", "GET v2/odd/things/manifests/vanished was refused with 404: MANIFEST_UNKNOWN")
    return make.settle(row)


def _gone(where: Registry) -> None:
    row = make.repository(where, "team/retired", missed=2, gone_at=_ago(days=12), changed_at=_ago(days=40))
    make.put(row, _app("retired"), "1.0", dated=_ago(days=40))
    make.settle(row)
    Tag.objects.filter(repository=row).update(gone_at=_ago(days=12))


def _jobs(where: Registry, other: Registry) -> tuple[Job, Job, Job]:
    """One that runs, one that asks, one that ended, and a few before them."""
    ana = make.person("ana.kivi", first_name="Ana", last_name="Kivi", staff=True)
    for days in range(3, 0, -1):
        make.job(
            where,
            Job.State.DONE,
            started_at=_ago(days=days),
            finished_at=_ago(days=days, seconds=-42),
            message=summary(Scan(repositories=19, tags=1316, new_tags=3, moved_tags=1)),
            progress=_PROGRESS_AT_END,
        )
    ended = make.job(
        where,
        Job.State.FAILED,
        started_at=_ago(hours=5),
        finished_at=_ago(hours=5, seconds=-31),
        requested_by=ana,
        message=str(Unreachable("GET v2/_catalog?n=1000: connection refused")),
        progress={"phase": "listing", "repositories": [4, 19]},
    )
    Job.objects.update(created_at=_ago(hours=5))
    asking = make.job(
        other,
        Job.State.ASKING,
        started_at=_ago(minutes=6),
        question=question(Holdings(2, 212), Holdings(31, 900)),
    )
    scan = make.job(
        where,
        Job.State.RUNNING,
        started_at=_ago(seconds=33),
        requested_by=ana,
        progress={
            "phase": "manifests",
            "repositories": [7, 19],
            "tags": [512, 1316],
            "manifests": 88,
            "configs": [0, 0],
            "rate": 61.5,
            "seconds_left": 13,
            "problems": 1,
        },
    )
    return scan, asking, ended


_PROGRESS_AT_END: Final = {
    "phase": "configs",
    "repositories": [19, 19],
    "tags": [1316, 1316],
    "manifests": 4,
    "configs": [3, 3],
    "problems": 2,
}
