"""The sources of sync: registries that are only copied from. What they are asked with comes in, and never out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import translation
from ninja import Query, Router
from pydantic import Field

from api.answers import Listing, answer, done_answer, list_answer
from api.door import acts, person_of, reads
from api.orders import Order
from api.parameters import Paging, Text, page_of
from api.problems import Refusal
from api.sync_shapes import SourceJson, source_json
from catalog.reads.keyset import Column
from jobs.processor import given_up
from registries.addresses import WrongAddress, normal_address
from registries.details import Details, RegistryNotSaved
from registries.limits import Limits
from registries.models import Registry
from registries.presets import ANY, PRESETS, Preset, preset_called
from registries.probing import probe
from sync import sources

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
PRESET_KEYS: Final = ", ".join(preset.key for preset in PRESETS)
_SECRETS: Final = ("password", "client_key", "proxy")  # nothing of them is told, so nothing is deciphered
_LIMITS: Final = frozenset(Limits.__slots__)
_OPEN: Final = ("name", "username", "ca", "client_certificate", "plain_http")  # what a change may say, and no secret

router = Router(tags=["Sync"])

Secret = Annotated[str, Field(max_length=8_000)]
Pem = Annotated[str, Field(max_length=100_000)]


class LimitsOrder(Order):
    """What is left out is as the preset has it."""

    at_once: int | None = Field(default=None, description="Requests; null for no limit.")
    requests_per_second: float | None = Field(default=None, description="null for no limit.")
    bytes_per_second: int | None = Field(default=None, description="null for no limit.")
    quota_floor: int = Field(default=0, description="Pulls of its quota that are kept for others.")


class SourceOrder(Order):
    """A source that is to be."""

    preset: Text = Field(ANY.key, description=f"One of {PRESET_KEYS}.", examples=["docker-hub"])
    url: Text | None = Field(default=None, description="Without it, that of the preset.")
    name: Text = Field("", description="Small letters, digits and single hyphens; without it, made of the address.")
    username: Text = ""
    password: Secret | None = None
    proxy: Secret | None = Field(default=None, description="http://[user:password@]host:port")
    ca: Pem = Field("", description="Certificates to trust, PEM.")
    client_certificate: Pem = Field("", description="By which it knows Berth, PEM.")
    client_key: Pem | None = Field(default=None, description="Of that, PEM without a pass phrase.")
    plain_http: bool = Field(default=False, description="Allow an address with http://.")
    limits: LimitsOrder = Field(default_factory=LimitsOrder)

    def details(self) -> Details:
        """Raises Refusal."""
        preset = preset_called(self.preset)
        if preset is None:
            raise Refusal.of("preset", f"one of {PRESET_KEYS}")
        if not (url := self.url or preset.url):
            raise Refusal.of("url", "it is needed, as the preset has none")
        return Details(
            url=url,
            name=self.name,
            username=self.username,
            password=self.password,
            ca=self.ca,
            client_certificate=self.client_certificate,
            client_key=self.client_key,
            plain_http=self.plain_http,
            preset=_service_at(url, preset),
            proxy=self.proxy,
            limits=replace(preset.limits, **self.limits.model_dump(exclude_unset=True)),
        )


class LimitsChange(LimitsOrder):
    """What is left out stays as it is."""


class SourceChange(Order):
    """What is to be another way of a source; what is left out, or null, stays as it is."""

    preset: Text | None = Field(
        default=None, description=f"One of {PRESET_KEYS}; with its address, where none is said."
    )
    url: Text | None = Field(default=None, description="What was kept for the old one never goes to a new one.")
    name: Text | None = Field(default=None, description="Rules follow it to another name.")
    username: Text | None = Field(default=None, description="Empty: it and the password are forgotten.")
    password: Secret | None = Field(default=None, description="Empty: it is forgotten.")
    proxy: Secret | None = Field(default=None, description="Empty: it is forgotten.")
    ca: Pem | None = None
    client_certificate: Pem | None = Field(default=None, description="Empty: it and its key are forgotten.")
    client_key: Pem | None = None
    plain_http: bool | None = None
    limits: LimitsChange = Field(default_factory=LimitsChange)

    def details(self, source: Registry) -> Details:
        """Raises Refusal."""
        preset = preset_called(self.preset) if self.preset is not None else None
        if self.preset is not None and preset is None:
            raise Refusal.of("preset", f"one of {PRESET_KEYS}")
        url = self.url or (preset.url if preset else "") or source.url
        said = {name: getattr(self, name) for name in _OPEN if getattr(self, name) is not None}
        return Details(
            url=url,
            public_name=source.public_name,
            password=self.password,
            client_key=self.client_key,
            preset=_service_at(url, preset, source),
            proxy=self.proxy,
            limits=replace(Limits.of(source), **self.limits.model_dump(exclude_unset=True)),
            **({name: getattr(source, name) for name in _OPEN} | said),
        )


@reads(router, "/sync/sources", "api-sync-sources", Listing[SourceJson])
def list_sources(request: HttpRequest, query: Query[Paging]) -> HttpResponse:
    """The registries that are only copied from, the newest first.

    One of ours may be copied from too. What they are asked with is never told.
    """
    page = page_of(Registry.objects.sources().defer(*_SECRETS), COLUMNS, "newest", query)
    proxied = _proxied([source.pk for source in page.rows])
    return list_answer(request, page, [source_json(request, row, by_proxy=row.pk in proxied) for row in page.rows])


@acts(router, "POST", "/sync/sources", "api-sync-source-add", {201: SourceJson})
def add_source(request: HttpRequest, order: SourceOrder) -> HttpResponse:
    """Add a registry to copy from, and test it.

    It is kept whatever the test finds; `problem` says that. A password and a proxy are stored encrypted.
    """
    with _said_in_english():
        source = sources.add(order.details(), person_of(request))
    return _tested(request, source, 201)


@reads(router, "/sync/sources/{name}", "api-sync-source", SourceJson)
def read_source(request: HttpRequest, name: Text) -> HttpResponse:
    """One source.

    By its name.
    """
    return answer(request, _said(request, name))


@acts(router, "PUT", "/sync/sources/{name}", "api-sync-source-change", {200: SourceJson})
def change_source(request: HttpRequest, name: Text, order: SourceChange) -> HttpResponse:
    """Change a source, and test it.

    What is left out stays as it is, so that nothing has to be sent again that is never told. A password goes to the
    address alone that it was given for: at another one a source has none until it is given anew.
    """
    source = get_object_or_404(Registry.objects.sources(), name=name)
    with _said_in_english():
        source = sources.edit(source, order.details(source), person_of(request))
    return _tested(request, source, 200)


@acts(router, "DELETE", "/sync/sources/{name}", "api-sync-source-remove", {204: None})
def remove_source(request: HttpRequest, name: Text) -> HttpResponse:
    """Forget a source, which no rule may name.

    Its credentials are forgotten; what was copied from it stays, and so do its runs.
    """
    try:
        sources.remove(get_object_or_404(Registry.objects.sources(), name=name), person_of(request))
    except sources.StillUsed as reason:
        raise Refusal(409, str(reason)) from reason
    return HttpResponse(status=204)


def _service_at(url: str, said: Preset | None, before: Registry | None = None) -> str:
    """A well-known service is at its address, and at no other; what a source was it stays, where that is as it was."""
    try:
        url = normal_address(url, plain_http=True)
    except WrongAddress:  # which is said when it is saved
        return ANY.key
    if said is None and before is not None and before.url == url:
        return before.preset
    return said.key if said is not None and said.url == url else ANY.key


@contextmanager
def _said_in_english() -> Iterator[None]:
    """As all that the API says. Raises Refusal."""
    with translation.override("en"):
        try:
            yield
        except RegistryNotSaved as error:
            raise Refusal.of(f"limits.{error.field}" if error.field in _LIMITS else error.field, str(error)) from error


def _tested(request: HttpRequest, source: Registry, status: int) -> HttpResponse:
    with given_up():
        probe(source)
    said = _said(request, source.name)
    return done_answer(said, status, location=said["links"]["self"])


def _said(request: HttpRequest, name: str) -> SourceJson:
    source = get_object_or_404(Registry.objects.sources().defer(*_SECRETS), name=name)
    return source_json(request, source, by_proxy=bool(_proxied([source.pk])))


def _proxied(keys: list[int]) -> set[int]:
    return set(Registry.objects.filter(pk__in=keys).exclude(proxy="").values_list("pk", flat=True))
