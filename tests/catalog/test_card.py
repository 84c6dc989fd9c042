from __future__ import annotations

import pytest

from catalog import card as cards
from catalog.card import CardTooLong, EditedMeanwhile, Said
from catalog.models import Manifest, Repository, RepositoryCard
from catalog.reads.introduction import introduction_of
from registries.models import Registry
from tests.web import furniture as make

pytestmark = pytest.mark.django_db
TITLE, DESCRIPTION = "org.opencontainers.image.title", "org.opencontainers.image.description"


@pytest.fixture
def app() -> Repository:
    return make.repository(make.registry(), "team/app")


def test_each_edit_is_a_version(app: Repository) -> None:
    assert cards.card_of(app).version == 0
    first = cards.edit(app, Said("team", "# App"), began_from=0, by="Mara")
    second = cards.edit(app, Said("team", "# App 2"), began_from=first.version, by="Noa")
    assert (first.version, second.version) == (1, 2)
    assert (second.readme, second.edited_by) == ("# App 2", "Noa")
    assert second.edited_at >= first.edited_at
    assert RepositoryCard.objects.count() == 1


@pytest.mark.parametrize("began_from", [0, 1, 7])
def test_who_began_from_another_version_is_shown_what_is_there(app: Repository, began_from: int) -> None:
    cards.edit(app, Said("team", "one"), began_from=0, by="Mara")
    cards.edit(app, Said("team", "two"), began_from=1, by="Mara")
    with pytest.raises(EditedMeanwhile) as caught:
        cards.edit(app, Said("team", "mine"), began_from=began_from, by="Noa")
    assert (caught.value.card.readme, caught.value.card.version) == ("two", 2)
    assert cards.card_of(app).readme == "two"


def test_a_card_that_is_not_there_is_another_version_too(app: Repository) -> None:
    with pytest.raises(EditedMeanwhile) as caught:
        cards.edit(app, Said("team", "mine"), began_from=3, by="Noa")
    assert caught.value.card.version == 0


def test_what_is_sent_twice_is_written_once(app: Repository) -> None:
    for _ in range(2):
        card = cards.edit(app, Said("team", "text"), began_from=0, by="Mara")
    assert card.version == 1


def test_an_empty_readme_keeps_the_count_of_versions(app: Repository) -> None:
    cards.edit(app, Said("team", "text"), began_from=0, by="Mara")
    assert cards.edit(app, Said("team"), began_from=1, by="Mara").version == 2
    with pytest.raises(EditedMeanwhile):
        cards.edit(app, Said("team", "late"), began_from=1, by="Noa")


@pytest.mark.parametrize("said", [Said("x" * 256), Said("", "x" * (256 * 1024 + 1)), Said("", "é" * (128 * 1024 + 1))])
def test_what_is_too_long_is_not_written(app: Repository, said: Said) -> None:
    with pytest.raises(CardTooLong):
        cards.edit(app, said, began_from=0, by="Mara")
    assert not RepositoryCard.objects.exists()
    assert cards.edit(app, Said("", "x" * 256 * 1024), began_from=0, by="Mara").version == 1


def test_the_annotations_of_an_index_go_before_the_labels_of_its_image(app: Repository) -> None:
    labels = {TITLE: "label", DESCRIPTION: "label", "org.opencontainers.image.url": "https://label.example"}
    child = make.image(settings=make.config(run={"Labels": labels}), more={"annotations": {DESCRIPTION: "image"}})
    make.put(app, child)
    index = make.index(
        [("linux/amd64", child), ("linux/arm64", "sha256:" + "0" * 64)], more={"annotations": {TITLE: "index"}}
    )
    make.put(app, index, "1.0")
    found = introduction_of(make.settle(app))
    assert found is not None
    assert (found.title.text, found.description.text, found.url.text) == ("index", "image", "https://label.example")
    assert found.source.text == ""


def test_a_long_text_is_cut(app: Repository) -> None:
    make.put(app, make.image(settings=make.config(run={"Labels": {DESCRIPTION: "x" * 5_000}})), "1.0")
    found = introduction_of(make.settle(app))
    assert found is not None
    assert (len(found.description.text), found.description.hidden) == (1_000, 4_000)


def test_an_image_that_says_nothing_introduces_nothing(app: Repository) -> None:
    assert introduction_of(app) is None
    for number, built in enumerate(
        [
            make.image(),
            make.image([("a", 1)], b"no json", config_state=Manifest.ConfigState.MALFORMED),
            make.image([("b", 1)], config_state=Manifest.ConfigState.UNREAD),
            make.image([("c", 1)], settings=make.config(run={"Labels": {TITLE: " "}})),
            make.malformed(),
        ]
    ):
        make.put(app, built, f"1.{number}")
        assert introduction_of(make.settle(app)) is None


def test_an_introduction_is_one_query(app: Repository, django_assert_num_queries: object) -> None:
    child = make.image(settings=make.config(run={"Labels": {TITLE: "x"}}))
    make.put(app, child)
    make.put(app, make.index([("linux/amd64", child)]), "1.0")
    make.settle(app)
    row = Repository.objects.for_list().get()
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert introduction_of(row)
    assert Registry.objects.count() == 1
