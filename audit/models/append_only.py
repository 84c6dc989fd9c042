"""Rows that are only added: what the code cannot do to them, and `audit.guard` has the database refuse as well."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.db import models


class AppendOnly(Exception):  # noqa: N818  it says why nothing was written
    """Rows of the audit are only added: nobody changes or deletes one."""


RowT = TypeVar("RowT", bound=models.Model)


class AppendOnlyQuerySet(models.QuerySet[RowT]):
    def update(self, **_kwargs: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly

    def bulk_update(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise AppendOnly

    def bulk_create(self, objs: Any, *args: Any, update_conflicts: bool = False, **kwargs: Any) -> list[RowT]:
        if update_conflicts:
            raise AppendOnly
        return super().bulk_create(objs, *args, **kwargs)


class AppendOnlyModel(models.Model):
    class Meta:
        abstract = True

    def save(self, *_args: Any, using: str | None = None, **_kwargs: Any) -> None:
        """Always with `force_insert`, or one that was given the key of another would change that."""
        if not self._state.adding:
            raise AppendOnly
        super().save(force_insert=True, using=using)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise AppendOnly
