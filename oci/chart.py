"""The metadata of a Helm chart: its Chart.yaml, which Helm pushes as JSON in the config of the manifest.

Helm, "Charts: the Chart.yaml file". Whoever pushes a chart writes every character of it, so each field is read by
itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from oci.document import load_object
from oci.lenient import list_of, map_of, text_of, texts_of, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

CHART_CONFIG: Final = "application/vnd.cncf.helm.config.v1+json"
CHART_CONTENT: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
CHART_PROVENANCE: Final = "application/vnd.cncf.helm.chart.provenance.v1.prov"


@dataclass(frozen=True, slots=True)
class Maintainer:
    name: str = ""
    email: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Dependency:
    name: str = ""
    version: str = ""
    repository: str = ""
    condition: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    name: str = ""
    version: str = ""
    app_version: str = ""
    description: str = ""
    type: str = ""
    api_version: str = ""
    kube_version: str = ""
    home: str = ""
    icon: str = ""
    is_deprecated: bool = False
    sources: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    maintainers: tuple[Maintainer, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)


def parse_chart(content: bytes) -> Chart:
    """The chart in `content`; BadAnswer when it is no JSON object at all."""
    document = load_object(content, "the config of the chart")
    return Chart(
        name=text_of(document.get("name")),
        version=text_of(document.get("version")),
        app_version=text_of(document.get("appVersion")),
        description=text_of(document.get("description")),
        type=text_of(document.get("type")),
        api_version=text_of(document.get("apiVersion")),
        kube_version=text_of(document.get("kubeVersion")),
        home=text_of(document.get("home")),
        icon=text_of(document.get("icon")),
        is_deprecated=document.get("deprecated") is True,
        sources=words_of(document.get("sources")) or (),
        keywords=words_of(document.get("keywords")) or (),
        maintainers=tuple(_maintainer(entry) for entry in list_of(document.get("maintainers"))),
        dependencies=tuple(_dependency(entry) for entry in list_of(document.get("dependencies"))),
        annotations=texts_of(document.get("annotations")),
    )


def _maintainer(value: Any) -> Maintainer:
    person = map_of(value)
    return Maintainer(text_of(person.get("name")), text_of(person.get("email")), text_of(person.get("url")))


def _dependency(value: Any) -> Dependency:
    needed = map_of(value)
    return Dependency(
        text_of(needed.get("name")),
        text_of(needed.get("version")),
        text_of(needed.get("repository")),
        text_of(needed.get("condition")),
        text_of(needed.get("alias")),
    )
