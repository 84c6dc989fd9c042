"""What may be asked for in an address. What has no meaning is refused and not guessed: a script would not notice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from django.db.models import QuerySet
from ninja import Schema
from pydantic import AfterValidator, Field

from catalog.reads.keyset import Column, Order, Page, RowT, is_token, paged
from oci.errors import InvalidName
from oci.names import Digest, parse_repository, parse_tag

MOST: Final = 200  # rows of a page
_ROWS: Final = 50  # where no `limit` is asked for


class UnfitCursor(Exception):  # noqa: N818  it is said as it is
    """The cursor is none, or was given for another order."""


def _parsed_by(parse: Callable[[str], object], words: str) -> Callable[[str], str]:
    def parsed(text: str) -> str:
        try:
            return str(parse(text))
        except InvalidName as error:
            raise ValueError(words) from error

    return parsed


_digest = _parsed_by(Digest.parse, "no digest: algorithm:hex, all of it")
_tag = _parsed_by(parse_tag, "no tag: letters, digits, and . _ - after the first")
_repository = _parsed_by(parse_repository, "no repository: small letters and digits, with . _ - and / between")


# No name holds a control character, and a database may choke on one.
Text = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
DigestParameter = Annotated[str, AfterValidator(_digest)]
TagParameter = Annotated[str, AfterValidator(_tag)]
RepositoryParameter = Annotated[str, AfterValidator(_repository)]
RowId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class Paging(Schema):
    cursor: str = Field("", max_length=2000, description="Where a page begins, from `next` or `previous` of another.")
    limit: int = Field(_ROWS, ge=1, le=MOST, description="Rows of a page.")


def page_of(
    rows: QuerySet[RowT],
    columns: Mapping[str, Column],
    sort: str,
    paging: Paging,
    whole: Callable[[Any], QuerySet[RowT]] | None = None,
) -> Page[RowT]:
    """Two queries; `whole` is that of `paged`. A cursor that is none is refused: page one would follow for ever."""
    order = Order.parse(sort, columns)
    cursor = checked_cursor(paging.cursor, order)
    return paged(rows, order, cursor, size=paging.limit, begins_anew=False, whole=whole)


def checked_cursor(cursor: str, order: Order) -> str:
    """Raises UnfitCursor."""
    if cursor and not is_token(cursor, order):
        raise UnfitCursor
    return cursor
