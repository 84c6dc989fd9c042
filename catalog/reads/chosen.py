"""Which tags are meant when a person selects images of a repository in a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catalog.models import Presence, Repository, Tag
from catalog.models.presences import PresenceQuerySet
from catalog.reads.narrowing import Narrowing
from catalog.recording.chunks import by_number

_TOGETHER = 500


def chosen_tags(repository: Repository, narrowing: Narrowing, image_ids: Iterable[int] | None) -> list[str]:
    """The tags of these images, or of all that the filter leaves (None), in no order.

    Of an image it is the tag that the list shows first, or those that contain the text which the list was filtered by:
    its other tags were not asked for.
    """
    images = narrowing.of(repository)
    if not narrowing.text.strip():
        return [name for piece in _some(images, image_ids) for name in piece.values_list("lead_tag", flat=True)]
    tags = Tag.objects.live().filter(repository=repository).matching_here(narrowing.text)
    return [
        name
        for piece in _some(images, image_ids)
        for name in tags.filter(presence__in=piece.order_by().values("pk")).values_list("name", flat=True)
    ]


def _some(images: PresenceQuerySet, image_ids: Iterable[int] | None) -> Iterator[PresenceQuerySet]:
    if image_ids is None:
        yield images.order_by()
        return
    for piece in by_number(image_ids, _TOGETHER):
        yield images.filter(pk__in=piece).order_by()


def going_tags(images: Iterable[Presence], text: str) -> dict[int, list[str]]:
    """By the key of an image its tags that contain `text`; of a page of the list.

    No query where there is no text, or no image.
    """
    keys = [image.pk for image in images]
    if not keys or not text.strip():
        return {}
    rows = Tag.objects.live().filter(presence__in=keys, name__icontains=text.strip()).in_order()
    going: dict[int, list[str]] = {}
    for key, name in rows.values_list("presence_id", "name"):
        if key is not None:
            going.setdefault(key, []).append(name)
    return going
