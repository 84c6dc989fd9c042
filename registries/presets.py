"""The registry services that everybody knows: where each is, how it likes to be asked, and what it cannot do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from django.utils.translation import gettext_noop

from registries.limits import Limits

_HUB: Final = gettext_noop(
    "It counts each manifest that is pulled, and says how many are left; whoever signs in has more. To ask whether a"
    " tag has moved is free."
)
_GITHUB: Final = gettext_noop("Its token for private images is one of GitHub's with the right read:packages.")
_QUAY: Final = gettext_noop("It wants few requests a second. A robot account may read private images.")
_KUBERNETES: Final = gettext_noop("It needs no user, and leads on to the storage that is nearest.")
_GOOGLE: Final = gettext_noop("Of private images the user is _json_key, and the password the key as JSON.")
_AMAZON: Final = gettext_noop("Without a user it lets little be pulled a second; whoever signs in may have more.")
_MICROSOFT: Final = gettext_noop("It needs no user, and its catalog may be read by everybody.")
_ANY: Final = gettext_noop("Any registry that speaks the distribution API, as that of another Berth.")
SENTENCES: Final = (_HUB, _GITHUB, _QUAY, _KUBERNETES, _GOOGLE, _AMAZON, _MICROSOFT, _ANY)


@dataclass(frozen=True, slots=True)
class Preset:
    """`host` is what stands before the repository in a reference, `url` where its API is; both "" where it is any.

    `realm`: the token service that may see its credentials, where that is at another host. `is_listed`: whether its
    catalog may be read, so that patterns can name repositories. `sample`: an image that was always there, of which a
    HEAD tells how it treats us; `has_quota`: it tells then how many pulls are left. `hint` is one of SENTENCES.
    """

    key: str
    title: str
    host: str
    url: str
    hint: str
    realm: str = ""
    aliases: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    is_listed: bool = False
    sample: str = ""
    has_quota: bool = False


DOCKER_HUB: Final = Preset(
    "docker-hub",
    "Docker Hub",
    "docker.io",
    "https://registry-1.docker.io",
    _HUB,
    realm="https://auth.docker.io/token",
    aliases=("index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"),
    limits=Limits(at_once=3, quota_floor=10),
    sample="ratelimitpreview/test:latest",
    has_quota=True,
)
ANY: Final = Preset("any", "", "", "", _ANY, is_listed=True)
PRESETS: Final = (
    DOCKER_HUB,
    Preset(
        "ghcr",
        "GitHub Container Registry",
        "ghcr.io",
        "https://ghcr.io",
        _GITHUB,
        limits=Limits(at_once=6),
        sample="regclient/regctl:latest",
    ),
    Preset(
        "quay",
        "Quay.io",
        "quay.io",
        "https://quay.io",
        _QUAY,
        limits=Limits(at_once=3, requests_per_second=2.0),
        sample="prometheus/prometheus:latest",
    ),
    Preset(
        "kubernetes",
        "Kubernetes",
        "registry.k8s.io",
        "https://registry.k8s.io",
        _KUBERNETES,
        limits=Limits(at_once=4, requests_per_second=10.0),
        sample="pause:3.9",
    ),
    Preset(
        "gcr",
        "Google Container Registry",
        "gcr.io",
        "https://gcr.io",
        _GOOGLE,
        limits=Limits(at_once=8),
        sample="distroless/static:latest",
    ),
    Preset(
        "ecr-public",
        "Amazon ECR Public",
        "public.ecr.aws",
        "https://public.ecr.aws",
        _AMAZON,
        limits=Limits(at_once=2, requests_per_second=1.0),
        sample="docker/library/alpine:latest",
    ),
    Preset(
        "mcr",
        "Microsoft Artifact Registry",
        "mcr.microsoft.com",
        "https://mcr.microsoft.com",
        _MICROSOFT,
        limits=Limits(at_once=8),
        is_listed=True,
        sample="hello-world:latest",
    ),
    ANY,
)
_BY_KEY: Final = {preset.key: preset for preset in PRESETS}
_BY_HOST: Final = {host: preset for preset in PRESETS for host in (preset.host, *preset.aliases) if host}


def preset_called(key: str) -> Preset | None:
    return _BY_KEY.get(key)


def preset_at(host: str) -> Preset | None:
    """The service that a reference means which begins with `host`."""
    return _BY_HOST.get(host.lower())
