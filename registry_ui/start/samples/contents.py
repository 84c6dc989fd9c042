"""What an empty registry is given: a small company's images, with what one meets in real ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from registry_ui.start.samples import roots
from registry_ui.start.samples.attached import helm_chart, referrers, sbom, signature
from registry_ui.start.samples.documents import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    Document,
    Json,
    Step,
    attestation,
    image,
    index,
)
from registry_ui.start.samples.layers import filler

_AMD64: Final = "linux/amd64"
_ARM64: Final = "linux/arm64/v8"


@dataclass(frozen=True, slots=True)
class Push:
    repository: str
    document: Document
    tags: tuple[str, ...] = ()  # none: by its digest only


def pushes() -> Iterator[Push]:
    """In the order in which they are pushed."""
    yield from _debian()
    yield from _api()
    yield from _worker()
    yield from _storefront()
    yield Push("charts/platform", helm_chart("0.3.0", "1.3.1", _on(10, 14)), ("0.3.0",))
    yield Push("charts/platform", helm_chart("0.4.0", "1.4.2", _on(11, 18, 16)), ("0.4.0",))
    yield from _cli()
    yield Push("hello", _hello(), ("latest",))


def _on(month: int, day: int, hour: int = 9) -> datetime:
    return datetime(2026, month, day, hour, 24, 8, tzinfo=UTC)


def _base(platform: str, release: str = "12.9", day: int = 2) -> list[Step]:
    architecture = platform.split("/")[1]
    root = roots.debian(architecture, release, _on(10, day))
    return [Step(f"ADD rootfs-{architecture}.tar.gz / # debian {release}", root), Step('CMD ["bash"]')]


def _debian() -> Iterator[Push]:
    """Docker's own media types: schema 2 images, and a list over two platforms."""
    run = {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": ["bash"]}
    old, new = _on(10, 1), _on(10, 2)
    slim = image(_base(_AMD64, "12.8", 1), _AMD64, old, run, DOCKER_MANIFEST)
    yield Push("base/debian", slim, ("12.8",))
    both = [image(_base(platform), platform, new, run, DOCKER_MANIFEST) for platform in (_AMD64, _ARM64)]
    yield Push("base/debian", index(both, DOCKER_LIST), ("12.9", "12", "latest"))


# Version, when, and the packages that it was built with, which change more seldom.
_OLD_PACKAGES: Final = (("fastapi", "0.111.0", 240_000), ("pydantic_core", "2.18.4", 360_000))
_NEW_PACKAGES: Final = (("fastapi", "0.115.2", 270_000), ("pydantic_core", "2.23.4", 410_000))
_RELEASES: Final = (
    ("1.3.0", _on(10, 6), _OLD_PACKAGES, ("1.3.0",)),
    ("1.3.1", _on(10, 13), _OLD_PACKAGES, ("1.3.1", "1.3")),
    ("1.4.0", _on(10, 27), _NEW_PACKAGES, ("1.4.0",)),
    ("1.4.1", _on(11, 4), _NEW_PACKAGES, ("1.4.1", "sha-41c7d0e")),
    ("1.4.2", _on(11, 18), _NEW_PACKAGES, ("1.4.2", "1.4", "1", "latest", "sha-9b2f6a1")),
    ("1.5.0.dev3", _on(11, 20, 17), _NEW_PACKAGES, ("main", "sha-e03d5c8")),
)


def _api() -> Iterator[Push]:
    for version, when, packages, tags in _RELEASES:
        release = _multi_platform("api", version, when, packages)
        yield Push("platform/api", release, tags)
        if version == "1.4.2":
            bill = sbom(release, packages, when)
            hex_ = release.digest.removeprefix("sha256:")
            yield Push("platform/api", signature(release), (f"sha256-{hex_}.sig",))
            yield Push("platform/api", bill)
            yield Push("platform/api", referrers([bill]), (f"sha256-{hex_}",))


def _worker() -> Iterator[Push]:
    for version, when, tags in (
        ("0.9.0", _on(10, 28), ("0.9.0",)),
        ("0.9.1", _on(11, 19), ("0.9.1", "latest")),
    ):
        yield Push("platform/worker", _multi_platform("worker", version, when, _NEW_PACKAGES), tags)


def _multi_platform(name: str, version: str, when: datetime, packages: Sequence[tuple[str, str, int]]) -> Document:
    """An index over two platforms, each with where it came from; the platforms share all but their base."""
    images = [_service(name, version, platform, when, packages) for platform in (_AMD64, _ARM64)]
    return index([*images, *(attestation(child, when) for child in images)])


def _service(
    name: str, version: str, platform: str, when: datetime, packages: Sequence[tuple[str, str, int]]
) -> Document:
    architecture = platform.split("/")[1]
    pinned = " ".join(f"{package}=={number}" for package, number, _ in packages)
    # Layers that did not change since are older than the image: that is what makes them shared.
    libraries = roots.dependencies("platform", tuple(packages), _on(10, 5))
    command = ["python3", f"/srv/{name}/main.py"]
    steps = [
        *_base(platform),
        Step(
            "RUN /bin/sh -c apt-get update && apt-get install -y python3.11 && rm -rf /var/cache/apt/*",
            roots.python(architecture, _on(10, 3)),
        ),
        Step("ENV PYTHONUNBUFFERED=1"),
        Step("WORKDIR /srv"),
        Step(f"RUN /bin/sh -c pip install {pinned}", libraries),
        Step(
            f"COPY {name} /srv/{name}",
            roots.application(name, version, when),
        ),
        Step(f"RUN /bin/sh -c rm /srv/{name}/settings.toml", roots.removal(f"srv/{name}/settings.toml", when)),
        Step("USER 10001:10001"),
        Step("EXPOSE map[8080/tcp:{}]"),
        Step(f'ENTRYPOINT ["{command[0]}" "{command[1]}"]'),
    ]
    run: Json = {
        "User": "10001:10001",
        "ExposedPorts": {"8080/tcp": {}},
        "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "PYTHONUNBUFFERED=1", f"VERSION={version}"],
        "Entrypoint": command,
        "WorkingDir": "/srv",
        "Labels": _labels(f"platform/{name}", version, when),
    }
    return image(steps, platform, when, run)


def _storefront() -> Iterator[Push]:
    releases = (
        ("2.0.0", _on(10, 9), ("2.0.0", "2.0")),
        ("2.1.0", _on(11, 11), ("2.1.0", "2.1", "2", "latest")),
        ("2.2.0-rc.1", _on(11, 20), ("2.2.0-rc.1", "feature-checkout")),
    )
    for version, when, tags in releases:
        steps = [
            Step("ADD alpine-minirootfs-3.20.3-x86_64.tar.gz / # nginx 1.26.2", roots.nginx(_on(10, 8))),
            Step("COPY dist /usr/share/nginx/html", roots.storefront(version, when)),
            Step("EXPOSE map[8080/tcp:{}]"),
            Step("USER nginx"),
            Step('CMD ["nginx" "-g" "daemon off;"]'),
        ]
        run: Json = {
            "User": "nginx",
            "ExposedPorts": {"8080/tcp": {}},
            "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "NGINX_VERSION=1.26.2"],
            "Cmd": ["nginx", "-g", "daemon off;"],
            "Labels": _labels("web/storefront", version, when),
        }
        yield Push("web/storefront", image(steps, _AMD64, when, run), tags)


def _cli() -> Iterator[Push]:
    when, version = _on(11, 6), "0.2.0"
    children = []
    for platform, size in ((_AMD64, 420_000), ("linux/arm64", 395_000), ("linux/arm/v7", 350_000)):
        binary = roots.program("berth-demo", platform, version, size, when)
        steps = [
            Step("COPY berth-demo /usr/bin/berth-demo", binary),
            Step('ENTRYPOINT ["/usr/bin/berth-demo"]'),
        ]
        run: Json = {"Entrypoint": ["/usr/bin/berth-demo"], "Labels": _labels("tools/cli", version, when)}
        children.append(image(steps, platform, when, run))
    yield Push("tools/deep/nested/cli", index(children), (version, "latest"))


def _hello() -> Document:
    when = _on(10, 21)
    steps = [
        Step("COPY hello /", roots.program("hello", "amd64", "1", 1_840, when)),
        Step('CMD ["/usr/bin/hello"]'),
    ]
    return image(steps, _AMD64, when, {"Cmd": ["/usr/bin/hello"]})


def _labels(source: str, version: str, when: datetime) -> dict[str, str]:
    return {
        "org.opencontainers.image.created": when.isoformat().replace("+00:00", "Z"),
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.revision": filler(f"commit {source} {version}", 20).hex(),
        "org.opencontainers.image.source": f"https://git.example.com/{source}",
        "org.opencontainers.image.title": source.rpartition("/")[2],
        "org.opencontainers.image.version": version,
    }
