"""Sealing."""

from __future__ import annotations

import hashlib
import logging
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from audit import chain
from audit.canonical import COLUMNS, FORM, anchor_hash, link_hash
from audit.models import Anchor, AppendOnly, Entry, Link, Unsealed
from audit.tasks import seal as seal_task
from audit.verification import verify
from tests.audit.furniture import entries, entry

pytestmark = pytest.mark.django_db


def sealed() -> list[tuple[int, int]]:
    return list(Link.objects.order_by("position").values_list("position", "entry_id"))


def test_every_entry_but_a_pull_gets_a_link() -> None:
    rows = entries(3)
    entry(act=Entry.Act.PULL)
    rows += entries(2)

    assert chain.seal(100) == 5
    assert sealed() == [(n, row.pk) for n, row in enumerate(rows, start=1)]
    assert not Unsealed.objects.exists()
    assert chain.seal(100) == 0


def test_a_batch_goes_on_where_the_last_one_ended() -> None:
    entries(2)
    seal_task()
    entries(3)
    seal_task()

    assert list(Anchor.objects.order_by("last").values_list("first", "last")) == [(1, 2), (3, 5)]
    assert verify({}).broken is None


def test_many_are_sealed_in_batches() -> None:
    Entry.objects.bulk_create(
        [Entry(key=str(n), act=Entry.Act.PUSH, outcome=Entry.Outcome.DONE) for n in range(chain.BATCH * 2 + 7)]
    )

    assert chain.seal(chain.BATCH + 1) == chain.BATCH * 2
    assert chain.seal(1) == 7
    assert list(Anchor.objects.order_by("last").values_list("last", flat=True)) == [500, 1000, 1007]
    assert verify({}).entries == 1007


def test_what_is_committed_late_comes_later() -> None:
    """As when its transaction began before others and ended after them: its id is lower."""
    early, late = entry(), entry()
    Unsealed.objects.filter(pk=early.pk).delete()
    chain.seal(10)
    Unsealed.objects.create(pk=early.pk)
    chain.seal(10)

    assert sealed() == [(1, late.pk), (2, early.pk)]
    assert verify({}).broken is None


def test_what_is_rolled_back_is_not_sealed() -> None:
    with transaction.atomic():
        entry()
        transaction.set_rollback(True)

    assert chain.seal(10) == 0


def test_the_head_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    entries(2)
    with caplog.at_level(logging.INFO, "audit.chain"):
        chain.seal(10)

    head = chain.head()
    assert head is not None
    assert f"sealed until 2:{bytes(head.hash).hex()}" in caplog.text


def test_nothing_waits_for_what_was_sealed_already() -> None:
    row = entry()
    chain.seal(10)
    Unsealed.objects.create(pk=row.pk)
    entry()

    assert chain.seal(10) == 1
    assert not Unsealed.objects.exists()


def test_what_was_removed_before_it_was_sealed_holds_nobody_up() -> None:
    Unsealed.objects.bulk_create(Unsealed(pk=n) for n in range(-chain.BATCH, 0))
    entry()

    assert chain.seal(10) == 1
    assert Unsealed.objects.count() == chain.BATCH


def test_all_columns_are_sealed() -> None:
    """Whoever adds a column makes a new form, since rows were sealed in this one."""
    assert sorted(COLUMNS[FORM]) == sorted(field.name for field in Entry._meta.concrete_fields)


def test_the_bytes_are_what_they_were() -> None:
    """Or nobody could verify what was sealed before."""
    at = datetime(2026, 11, 27, 12, 30, 15, 123456, tzinfo=UTC)
    row = [1, 'k"', at, None, "berth", "push", "done", "아나"]
    entry_bytes = rb'["entry",1,1,"k\"",1795782615123456,null,"berth","push","done","\uc544\ub098"]'
    anchor_bytes = b'["anchor",1,4,9,1795782615123456]'
    before = b"b" * 32

    anchor = Anchor(first=4, last=9, form=1, sealed_at=at)

    assert link_hash(before, 1, row) == hashlib.sha256(before + entry_bytes).digest()
    assert anchor_hash(before, anchor) == hashlib.sha256(before + anchor_bytes).digest()


@pytest.mark.django_db(transaction=True)
def test_two_seal_at_once() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("the tests' SQLite lies in memory, and one transaction there ends before another begins")
    entries(40)
    barrier = threading.Barrier(4)

    def work() -> None:
        try:
            barrier.wait()
            for _ in range(5):
                chain.seal(1)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        entry()
    for thread in threads:
        thread.join()
    chain.seal(100)

    assert [position for position, _ in sealed()] == list(range(1, 61))
    assert verify({}).broken is None


@pytest.mark.parametrize("model", [Entry, Link, Anchor])
def test_the_code_has_no_way_to_change_or_delete(model: type[Entry | Link | Anchor]) -> None:
    entry()
    chain.seal(10)
    row = model.objects.get()
    rows: Any = model._default_manager.all()

    for change in (
        row.save,
        row.delete,
        rows.delete,
        rows.update,
        lambda: rows.bulk_update([row], []),
        lambda: rows.bulk_create([row], update_conflicts=True),
        lambda: rows.update_or_create(pk=row.pk),
    ):
        with pytest.raises(AppendOnly):
            change()
    with pytest.raises(IntegrityError), transaction.atomic():
        model(**{field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields}).save()
    assert model.objects.get() == row
