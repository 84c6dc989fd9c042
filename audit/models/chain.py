"""The rows that prove the entries: links, each of which holds all before it, and the anchors of their batches."""

from __future__ import annotations

from django.db import models

from audit.models.append_only import AppendOnlyModel, AppendOnlyQuerySet


class Unsealed(models.Model):
    """An entry that is in no batch yet. The database itself adds it with the entry (`audit.guard`)."""

    entry_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"entry {self.entry_id} waits"


class Link(AppendOnlyModel):
    """An entry in the chain. Positions begin at 1 and have no gaps; their order is that of sealing, not of ids."""

    position = models.BigIntegerField(primary_key=True)
    entry_id = models.BigIntegerField(unique=True)
    hash = models.BinaryField(max_length=32)  # SHA-256 of the hash before it and of the entry

    objects = AppendOnlyQuerySet["Link"].as_manager()

    def __str__(self) -> str:
        return f"{self.position}: entry {self.entry_id}"


class Anchor(AppendOnlyModel):
    """A batch that was sealed. Whoever has noted its last position and its hash can prove all until there."""

    last = models.BigIntegerField(primary_key=True)  # position
    first = models.BigIntegerField()
    form = models.PositiveSmallIntegerField()  # how its entries were written as bytes (`audit.canonical`)
    sealed_at = models.DateTimeField()
    hash = models.BinaryField(max_length=32)  # SHA-256 of the hash of the last link and of this row

    objects = AppendOnlyQuerySet["Anchor"].as_manager()

    def __str__(self) -> str:
        return f"{self.last}:{bytes(self.hash).hex()}"
