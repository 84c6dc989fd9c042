"""The sources of sync: registries that are only copied from. What they are asked with comes in, and never out."""

from __future__ import annotations

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
from registries.details import Details, RegistryNotSaved
from registries.limits import Limits
from registries.models import Registry
from registries.presets import ANY, PRESETS, preset_called
from registries.probing import probe
from sync import sources

COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
PRESET_KEYS: Final = ", ".join(preset.key for preset in PRESETS)
_SECRETS: Final = ("password", "client_key", "proxy")  # nothing of them is told, so nothing is deciphered
_LIMITS: Final = frozenset(Limits.__slots__)

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
            preset=preset.key,
            proxy=self.proxy,
            limits=replace(preset.limits, **self.limits.model_dump(exclude_unset=True)),
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
    with translation.override("en"):  # as all that the API says
        try:
            source = sources.add(order.details(), person_of(request))
        except RegistryNotSaved as error:
            raise Refusal.of(f"limits.{error.field}" if error.field in _LIMITS else error.field, str(error)) from error
    with given_up():
        probe(source)
    said = _said(request, source.name)
    return done_answer(said, 201, location=said["links"]["self"])


@reads(router, "/sync/sources/{name}", "api-sync-source", SourceJson)
def read_source(request: HttpRequest, name: Text) -> HttpResponse:
    """One source.

    By its name.
    """
    return answer(request, _said(request, name))


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


def _said(request: HttpRequest, name: str) -> SourceJson:
    source = get_object_or_404(Registry.objects.sources().defer(*_SECRETS), name=name)
    return source_json(request, source, by_proxy=bool(_proxied([source.pk])))


def _proxied(keys: list[int]) -> set[int]:
    return set(Registry.objects.filter(pk__in=keys).exclude(proxy="").values_list("pk", flat=True))
