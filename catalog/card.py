"""The owner and the README of a repository: edited by people, kept here, never asked of the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from catalog.models import Repository, RepositoryCard
from catalog.models.cards import OWNER_LENGTH

MOST_BYTES: Final = 256 * 1024  # of a README, in UTF-8


class CardTooLong(Exception):  # noqa: N818  a form asks before
    """The owner or the README is longer than is kept."""


class EditedMeanwhile(Exception):  # noqa: N818  it holds what somebody else wrote
    """The card is no longer the one that the edit began from; nothing was written."""

    def __init__(self, card: RepositoryCard) -> None:
        super().__init__(f"{card} is of version {card.version} by now")
        self.card = card


@dataclass(frozen=True, slots=True)
class Said:
    """What a card says: an empty text is none."""

    owner: str = ""
    readme: str = ""


def fits(readme: str) -> bool:
    return len(readme.encode()) <= MOST_BYTES


def card_of(repository: Repository) -> RepositoryCard:
    """The card of a repository, or an unsaved one of version 0 where nobody wrote one. One query."""
    card = RepositoryCard.objects.filter(repository=repository).first()
    return card or RepositoryCard(repository=repository)


def edit(repository: Repository, said: Said, *, began_from: int, by: str) -> RepositoryCard:
    """Write what the card says from now on. `began_from` is the version that the person had before them.

    What was sent twice is written once. Raises EditedMeanwhile, CardTooLong.
    """
    if len(said.owner) > OWNER_LENGTH or not fits(said.readme):
        raise CardTooLong
    values = {"owner": said.owner, "readme": said.readme, "edited_at": timezone.now(), "edited_by": by[:255]}
    with transaction.atomic():
        if began_from == 0:
            written = RepositoryCard.objects.get_or_create(repository=repository, defaults={**values, "version": 1})[1]
        else:
            mine = RepositoryCard.objects.filter(repository=repository, version=began_from)
            written = bool(mine.update(version=F("version") + 1, **values))
    card = card_of(repository)
    if not written and Said(card.owner, card.readme) != said:
        raise EditedMeanwhile(card)
    return card
