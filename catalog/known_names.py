"""Labels and annotations that have an agreed meaning, with the name that people have for them. Pure: a table.

Image-spec, "annotations"; label-schema.org 1.0; Artifact Hub, "OCI annotations"; Docker, Red Hat, Kubernetes, Helm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_OCI: Final = "org.opencontainers.image."
_LABEL_SCHEMA: Final = "org.label-schema."
_HUB: Final = "io.artifacthub."

SOURCES: Final = (f"{_OCI}source", f"{_LABEL_SCHEMA}vcs-url")
REVISIONS: Final = (f"{_OCI}revision", f"{_LABEL_SCHEMA}vcs-ref")
BASE_NAME: Final = f"{_OCI}base.name"
BASE_DIGEST: Final = f"{_OCI}base.digest"
TITLE: Final = f"{_OCI}title"

# In the order in which a page shows them.
KNOWN: Final[Mapping[str, str | Promise]] = {
    f"{_OCI}title": _("Title"),
    f"{_LABEL_SCHEMA}name": _("Title"),
    "io.k8s.display-name": _("Title"),
    "com.docker.desktop.extension.name": _("Title"),
    f"{_OCI}description": _("Description"),
    f"{_LABEL_SCHEMA}description": _("Description"),
    "io.k8s.description": _("Description"),
    "description": _("Description"),
    "summary": _("Summary"),
    f"{_OCI}version": _("Version"),
    f"{_LABEL_SCHEMA}version": _("Version"),
    "version": _("Version"),
    "release": _("Release"),
    f"{_OCI}ref.name": _("Name of the reference"),
    f"{_OCI}created": _("Created"),
    f"{_LABEL_SCHEMA}build-date": _("Created"),
    "build-date": _("Created"),
    "org.opencontainers.artifact.created": _("Created"),
    f"{_OCI}source": _("Source"),
    f"{_LABEL_SCHEMA}vcs-url": _("Source"),
    "com.docker.image.source.entrypoint": _("Source of the entrypoint"),
    f"{_OCI}revision": _("Revision"),
    f"{_LABEL_SCHEMA}vcs-ref": _("Revision"),
    "vcs-ref": _("Revision"),
    f"{_OCI}url": _("Web site"),
    f"{_LABEL_SCHEMA}url": _("Web site"),
    "url": _("Web site"),
    f"{_OCI}documentation": _("Documentation"),
    f"{_LABEL_SCHEMA}usage": _("Usage"),
    "usage": _("Usage"),
    "com.docker.extension.publisher-url": _("Web site of the publisher"),
    f"{_OCI}licenses": _("Licences"),
    f"{_LABEL_SCHEMA}license": _("Licences"),
    "license": _("Licences"),
    f"{_OCI}vendor": _("Vendor"),
    f"{_LABEL_SCHEMA}vendor": _("Vendor"),
    "vendor": _("Vendor"),
    f"{_OCI}authors": _("Authors"),
    "maintainer": _("Maintainer"),
    "MAINTAINER": _("Maintainer"),
    "authors": _("Authors"),
    BASE_NAME: _("Base image"),
    BASE_DIGEST: _("Digest of the base"),
    "com.docker.official-images.bashbrew.arch": _("Architecture of the official image"),
    f"{_LABEL_SCHEMA}schema-version": _("Version of the label schema"),
    f"{_LABEL_SCHEMA}docker.cmd": _("Command to run it"),
    f"{_LABEL_SCHEMA}docker.cmd.help": _("Command for help"),
    "com.docker.compose.project": _("Compose project"),
    "com.docker.compose.service": _("Compose service"),
    "com.docker.compose.version": _("Compose version"),
    "com.docker.extension.categories": _("Categories of the extension"),
    "com.docker.desktop.extension.api.version": _("Version of the extension API"),
    f"{_HUB}package.readme-url": _("README"),
    f"{_HUB}package.logo-url": _("Logo"),
    f"{_HUB}package.license": _("Licences"),
    f"{_HUB}package.keywords": _("Keywords"),
    f"{_HUB}package.category": _("Category"),
    f"{_HUB}package.maintainers": _("Maintainers"),
    f"{_HUB}package.alternative-locations": _("Other places"),
    f"{_HUB}package.deprecated": _("Deprecated"),
    f"{_HUB}package.contains-security-updates": _("Contains security updates"),
    f"{_HUB}package.prerelease": _("Pre-release"),
    "io.openshift.tags": _("Keywords"),
    "io.openshift.expose-services": _("Services"),
    "com.redhat.component": _("Red Hat component"),
    "com.redhat.license_terms": _("Terms of the licence"),
    "io.buildpacks.stack.id": _("Buildpacks stack"),
    "io.buildpacks.stack.distro.name": _("Distribution"),
    "helm.sh/chart": _("Helm chart"),
    "app.kubernetes.io/name": _("Application"),
    "app.kubernetes.io/version": _("Version of the application"),
    "com.github.package.type": _("Type of the package"),
}
