from __future__ import annotations

import pytest
from django.test import Client

from catalog.models import Repository
from catalog.reads.history import Layer
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page
from web.layers_bar import LayersBar

URL = "/r/local/team/app"


def see(client: Client, url: str) -> Page:
    response = client.get(url)
    assert response.status_code == 200
    return Page(response.content.decode().replace("\N{NO-BREAK SPACE}", " "))


@pytest.fixture
def app(local: Registry) -> Repository:
    return make.repository(local, "team/app")


def test_layers_are_drawn_and_linked_to_their_step(client: Client, app: Repository) -> None:
    make.put(app, make.image([("base", 28_200_000), ("other", 1)]), "other")
    make.put(app, make.image([("base", 28_200_000), ("a", 3_400_000)]), "1.0")
    page = see(client, f"{URL}/-/tags/1.0")
    assert {"#layer-1", "#layer-2"} <= set(page.links)
    assert page.all("li", id="layer-1")
    assert "shared with 1 other image here" in page.words
    assert "Shared with other images, 28.2 MB" in page.words
    assert "Only here, 3.4 MB" in page.words


def test_the_size_of_the_layers_is_that_of_the_layers(client: Client, app: Repository) -> None:
    make.put(app, make.image([("a", 211)], make.config(author="x" * 200)), "1.0")
    make.put(app, make.image([("a", 211), ("b", 1_000), ("a", 211)]), "twice")
    assert "1 layer · 211 B compressed" in see(client, f"{URL}/-/tags/1.0").words
    assert "3 layers · 1 kB compressed" in see(client, f"{URL}/-/tags/twice").words


def test_the_bar_is_as_wide_as_it_should_be() -> None:
    assert LayersBar.of([], 0).segments == ()
    layers = [Layer(n + 1, "sha256:x", "t", size, "") for n, size in enumerate([0, 1, 10**9, *[5] * 100])]
    bar = LayersBar.of(layers, 7)
    assert len(bar.segments) == 61
    assert bar.rest == 50
    assert bar.segments[-1].layer is None
    widths = [float(segment.width) for segment in bar.segments]
    assert min(widths) >= 8
    assert abs(float(bar.segments[-1].x) + widths[-1] - 1000) < 1
