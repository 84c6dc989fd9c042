"""The addresses that an answer leads to: of the API, and of the pages for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from catalog.models import Repository


def origin_of(request: HttpRequest) -> str:
    """Scheme and host of every link: the public ones where that name was asked for, since a proxy may end TLS."""
    public, host = urlsplit(settings.PUBLIC_URL), request.get_host()
    scheme = public.scheme if host == public.netloc else request.scheme
    return f"{scheme}://{host}"


@dataclass(frozen=True, slots=True)
class Place:
    """A repository and what is in it. All names passed the grammar: nothing in them needs to be escaped."""

    here: str
    page: str

    @classmethod
    def of(cls, repository: Repository, origin: str) -> Self:
        here = f"{origin}{reverse('api-repositories')}/{repository.registry.name}/{repository.name}"
        return cls(here, f"{origin}{repository.get_absolute_url()}")

    @property
    def tags(self) -> str:
        return f"{self.here}/-/tags"

    def manifest(self, digest: str) -> str:
        return f"{self.here}/-/manifests/{digest}"

    def page_of_tag(self, name: str) -> str:
        return f"{self.page}/-/tags/{name}"

    def page_of_manifest(self, digest: str) -> str:
        return f"{self.page}/-/manifests/{digest}"
