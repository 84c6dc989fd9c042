"""The pages."""

from __future__ import annotations

from django.urls import path

from web.views import (
    accounts,
    connect,
    image_parts,
    images,
    jobs,
    pull_tool,
    readme,
    registries,
    registry,
    repositories,
    repository,
    scans,
    search,
    watched,
)

_IMAGE = "r/<registry:registry>/<repository:repository>/-"

urlpatterns = [
    path("", repositories.listing, name="repositories"),
    path("r/<registry:registry>", repositories.listing, name="registry"),
    path("r/<registry:registry>/<repository:repository>", repository.page, name="repository"),
    path(f"{_IMAGE}/references", repository.references, name="references"),
    path(f"{_IMAGE}/timeline", repository.timeline, name="timeline"),
    path(f"{_IMAGE}/gone-tags", repository.gone_tags, name="gone-tags"),
    path(f"{_IMAGE}/readme", readme.page, name="readme"),
    path(f"{_IMAGE}/readme/edit", readme.edit, name="readme-edit"),
    path(f"{_IMAGE}/tags/<tag:tag>", images.tag, name="tag"),
    path(f"{_IMAGE}/manifests/<digest:digest>", images.manifest, name="manifest"),
    path(f"{_IMAGE}/manifests/<digest:digest>/raw", images.raw_manifest_file, name="raw-manifest"),
    path(f"{_IMAGE}/manifests/<digest:digest>/config", images.raw_config_file, name="raw-config"),
    path(f"{_IMAGE}/manifests/<digest:digest>/dockerfile", images.dockerfile, name="dockerfile"),
    path(f"{_IMAGE}/manifests/<digest:digest>/layers/<int:number>", image_parts.layer, name="layer"),
    path(f"{_IMAGE}/manifests/<digest:digest>/family", image_parts.family, name="family"),
    path(f"{_IMAGE}/manifests/<digest:digest>/referrers", image_parts.referrers, name="referrers"),
    path(f"{_IMAGE}/manifests/<digest:digest>/chart", image_parts.chart_files, name="chart-files"),
    path("search", search.page, name="search"),
    path("pull-tool", pull_tool.choose, name="pull-tool"),
    path("jobs", jobs.listing, name="jobs"),
    path("jobs/<int:job_id>", jobs.page, name="job"),
    path("jobs/<int:job_id>/stop", jobs.stop, name="job-stop"),
    path("jobs/<int:job_id>/again", jobs.again, name="job-again"),
    path("jobs/<int:job_id>/answer", jobs.answer, name="job-answer"),
    path("registries", registries.listing, name="registries"),
    path("registries/add", registries.add, name="registries-add"),
    path("registries/<registry:name>", registry.page, name="registries-page"),
    path("registries/<registry:name>/connect", connect.page, name="registries-connect"),
    path("registries/<registry:name>/ca", connect.ca_file, name="registries-ca"),
    path("registries/<registry:name>/scans", scans.listing, name="registries-scans"),
    path("registries/<registry:name>/scans/<int:scan_id>", scans.page, name="scan"),
    path("registries/<registry:name>/watched", watched.listing, name="registries-watched"),
    path("registries/<registry:name>/watch", watched.watch, name="registries-watch"),
    path("registries/<registry:name>/unwatch", watched.unwatch, name="registries-unwatch"),
    path("registries/<registry:name>/edit", registries.edit, name="registries-edit"),
    path("registries/<registry:name>/test", registries.test, name="registries-test"),
    path("registries/<registry:name>/trust", registries.trust, name="registries-trust"),
    path("registries/<registry:name>/remove", registries.remove, name="registries-remove"),
    path("registries/<registry:name>/scan", jobs.scan_now, name="scan-now"),
    path("sign-in", accounts.sign_in, name="sign-in"),
    path("sign-out", accounts.sign_out, name="sign-out"),
    path("account/password", accounts.password, name="password"),
]
