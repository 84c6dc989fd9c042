"""Verification finds the one row that somebody has changed or removed, and says which."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import chain
from audit.models import Anchor, Entry, Link
from audit.verification import Broken, verify
from tests.audit.breaking import break_in
from tests.audit.furniture import entries, entry

pytestmark = pytest.mark.django_db

COLUMNS = [field for field in Entry._meta.concrete_fields if not field.primary_key]


@pytest.fixture
def rows() -> list[Entry]:
    """Nine in three batches."""
    made: list[Entry] = []
    for _ in range(3):
        made += entries(3)
        chain.seal(10)
    return made


def found(**noted: str) -> tuple[str, int | None, int | None]:
    broken = verify({int(position[1:]): hash_ for position, hash_ in noted.items()}).broken
    assert broken is not None
    return broken.what, broken.entry, broken.position


def heads() -> dict[str, str]:
    return {f"_{anchor.last}": bytes(anchor.hash).hex() for anchor in Anchor.objects.order_by("last")}


def test_a_chain_as_it_was_sealed(rows: list[Entry]) -> None:
    entry()

    verdict = verify({int(position[1:]): hash_ for position, hash_ in heads().items()})

    assert (verdict.entries, verdict.waiting, verdict.broken) == (9, 1, None)
    assert verdict.head == f"9:{heads()['_9']}"


@pytest.mark.parametrize("field", COLUMNS, ids=lambda field: field.name)
def test_each_changed_column(rows: list[Entry], field: models.Field[Any, Any]) -> None:
    other: Any = "changed"
    if isinstance(field, models.DateTimeField):
        other = getattr(rows[4], field.name) + timedelta(microseconds=1)
        other = other.astimezone(UTC).replace(tzinfo=None) if connection.vendor == "sqlite" else other
    elif isinstance(field, models.IntegerField):
        other = getattr(rows[4], field.name) + 1

    break_in(f"UPDATE audit_entry SET {field.column} = %s WHERE id = %s", other, rows[4].pk)  # noqa: S608

    assert found() == ("entry", rows[4].pk, 5)


@pytest.mark.parametrize("field", [field for field in COLUMNS if field.null], ids=lambda field: field.name)
def test_each_emptied_column(rows: list[Entry], field: models.Field[Any, Any]) -> None:
    break_in(f"UPDATE audit_entry SET {field.column} = NULL WHERE id = %s", rows[4].pk)  # noqa: S608

    assert found() == ("entry", rows[4].pk, 5)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.integers(0, 8), text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30))
def test_any_text_in_any_row(rows: list[Entry], at: int, text: str) -> None:
    was = Entry.objects.get(pk=rows[at].pk).detail
    break_in("UPDATE audit_entry SET detail = %s WHERE id = %s", text, rows[at].pk)

    assert text == was or found() == ("entry", rows[at].pk, at + 1)

    break_in("UPDATE audit_entry SET detail = %s WHERE id = %s", was, rows[at].pk)
    assert verify({}).broken is None


@pytest.mark.parametrize("value", ["yesterday", 7])
def test_a_moment_that_is_none(rows: list[Entry], value: object) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps no such value there")
    break_in("UPDATE audit_entry SET at = %s WHERE id = %s", value, rows[4].pk)

    assert found() == ("entry", rows[4].pk, 5)


@pytest.mark.parametrize("at", range(9))
def test_a_removed_entry(rows: list[Entry], at: int) -> None:
    break_in("DELETE FROM audit_entry WHERE id = %s", rows[at].pk)

    assert found() == ("entry", rows[at].pk, at + 1)


def test_an_entry_with_another_id(rows: list[Entry]) -> None:
    break_in("UPDATE audit_entry SET id = 12345678 WHERE id = %s", rows[4].pk)

    assert found() == ("entry", rows[4].pk, 5)


@pytest.mark.parametrize("at", range(9))
def test_a_removed_link(rows: list[Entry], at: int) -> None:
    break_in("DELETE FROM audit_link WHERE position = %s", at + 1)

    assert found() == ("link", None, at + 1)


@pytest.mark.parametrize("at", range(9))
def test_a_changed_link(rows: list[Entry], at: int) -> None:
    break_in("UPDATE audit_link SET hash = %s WHERE position = %s", b"x" * 32, at + 1)

    assert found() == ("link", rows[at].pk, at + 1)


def test_a_link_of_another_entry(rows: list[Entry]) -> None:
    row = entry()
    break_in("UPDATE audit_link SET entry_id = %s WHERE position = 5", row.pk)

    assert found() == ("entry", row.pk, 5)


def test_two_in_another_order(rows: list[Entry]) -> None:
    fifth, sixth = rows[4].pk, rows[5].pk
    break_in("UPDATE audit_link SET entry_id = 0 WHERE position = 5")
    break_in("UPDATE audit_link SET entry_id = %s WHERE position = 6", fifth)
    break_in("UPDATE audit_link SET entry_id = %s WHERE position = 5", sixth)

    assert found() == ("entry", sixth, 5)


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("first = %s", 3),
        ("first = %s", 5),
        ("last = %s", 5),
        ("last = %s", 7),
        ("form = %s", 2),
        ("hash = %s", b"x" * 32),
        ("sealed_at = %s", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_changed_anchor(rows: list[Entry], statement: str, value: Any) -> None:
    if isinstance(value, datetime) and connection.vendor == "sqlite":
        value = value.replace(tzinfo=None)
    break_in(f"UPDATE audit_anchor SET {statement} WHERE last = 6", value)  # noqa: S608

    assert found() == ("anchor", None, value if statement.startswith("last") else 6)


@pytest.mark.parametrize(
    "change", ["sealed_at = 'yesterday'", "sealed_at = 7", "last = 'x'", "first = 'x'", "form = 'x'", "hash = 'x'"]
)
def test_an_anchor_that_cannot_be_read(rows: list[Entry], change: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps no such value there")
    break_in(f"UPDATE audit_anchor SET {change} WHERE last = 6")  # noqa: S608

    what, _, _ = found()
    assert what == "anchor"


@pytest.mark.parametrize(
    ("change", "what"), [("position = 'x'", "link"), ("entry_id = 'x'", "entry"), ("hash = 'x'", "link")]
)
def test_a_link_that_cannot_be_read(rows: list[Entry], change: str, what: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps no such value there")
    break_in(f"UPDATE audit_link SET {change} WHERE position = 5")  # noqa: S608

    assert found()[0] == what


@pytest.mark.parametrize(("last", "position"), [(3, 6), (6, 9), (9, 7)])
def test_a_removed_anchor(rows: list[Entry], last: int, position: int) -> None:
    break_in("DELETE FROM audit_anchor WHERE last = %s", last)

    what, _, at = found()
    assert (what, at) == ("anchor", position)


def remove_tail(rows: list[Entry]) -> None:
    break_in("DELETE FROM audit_anchor WHERE last = 9")
    for position in (7, 8, 9):
        break_in("DELETE FROM audit_link WHERE position = %s", position)


def test_a_tail_of_links_that_was_cut(rows: list[Entry]) -> None:
    remove_tail(rows)

    assert found() == ("unsealed", rows[6].pk, None)


def test_a_tail_that_was_cut_whole_is_found_by_a_head_alone(rows: list[Entry]) -> None:
    noted = {"_9": heads()["_9"]}
    remove_tail(rows)
    for row in rows[6:]:
        break_in("DELETE FROM audit_entry WHERE id = %s", row.pk)

    assert verify({}).broken is None
    assert found(**noted) == ("head", None, 9)


def test_a_chain_that_was_made_anew_is_found_by_a_head_alone(rows: list[Entry]) -> None:
    noted = heads()
    remove_tail(rows)
    for row in rows[6:]:
        break_in("INSERT INTO audit_unsealed (entry_id) VALUES (%s)", row.pk)
    chain.seal(10)

    assert verify({}).broken is None
    assert found(**noted) == ("head", None, 9)


def test_a_head_in_the_middle_of_a_batch(rows: list[Entry]) -> None:
    assert found(_5="0" * 64) == ("head", None, 5)


def copy(of: Entry, pk: int) -> None:
    names = ", ".join(field.attname for field in COLUMNS if field.name != "key")
    copied = f"SELECT %s, 'new', {names} FROM audit_entry WHERE id = %s"  # noqa: S608
    break_in(f"INSERT INTO audit_entry (id, key, {names}) {copied}", pk, of.pk)


def test_an_entry_that_was_slipped_in(rows: list[Entry]) -> None:
    copy(rows[0], rows[0].pk - 1)

    assert found() == ("unsealed", rows[0].pk - 1, None)


def test_an_entry_that_was_slipped_in_and_sealed(rows: list[Entry]) -> None:
    """Under an id so low that its transaction would have been open for more than an hour."""
    break_in("UPDATE audit_anchor SET sealed_at = %s WHERE last = 3", moment(hours=3))
    make_anew(3)
    copy(rows[0], rows[0].pk - 1)
    break_in("INSERT INTO audit_unsealed (entry_id) VALUES (%s)", rows[0].pk - 1)
    chain.seal(10)

    assert found() == ("late", rows[0].pk - 1, 10)


def moment(hours: int) -> Any:
    at = datetime.now(UTC) - timedelta(hours=hours)
    return at.replace(tzinfo=None) if connection.vendor == "sqlite" else at


def make_anew(last: int) -> None:
    """The hashes from this anchor on, as whoever has changed something before would."""
    from audit.canonical import COLUMNS as NAMES
    from audit.canonical import anchor_hash, link_hash

    before = b""
    for anchor in Anchor.objects.filter(last__gte=last).order_by("last"):
        for link in Link.objects.filter(position__range=(anchor.first, anchor.last)).order_by("position"):
            row = Entry.objects.values_list(*NAMES[anchor.form]).get(pk=link.entry_id)
            before = link_hash(before, anchor.form, row) if before else bytes(link.hash)
            break_in("UPDATE audit_link SET hash = %s WHERE position = %s", before, link.position)
        last_link = Link.objects.get(position=anchor.last)
        before = anchor_hash(bytes(last_link.hash), anchor)
        break_in("UPDATE audit_anchor SET hash = %s WHERE last = %s", before, anchor.last)


def test_an_entry_that_was_removed_before_it_was_sealed(rows: list[Entry]) -> None:
    row = entry()
    break_in("DELETE FROM audit_entry WHERE id = %s", row.pk)

    assert found() == ("entry", row.pk, None)


def test_a_pull_that_became_something_else(rows: list[Entry]) -> None:
    row = entry(act=Entry.Act.PULL)
    break_in("UPDATE audit_entry SET act = 'push' WHERE id = %s", row.pk)

    assert found() == ("unsealed", row.pk, None)


def test_of_many_broken_rows_the_first(rows: list[Entry]) -> None:
    for at in (7, 2, 4):
        break_in("UPDATE audit_entry SET actor = 'nobody' WHERE id = %s", rows[at].pk)

    verdict = verify({})

    assert (verdict.entries, verdict.head) == (0, "")
    assert isinstance(verdict.broken, Broken)
    assert verdict.broken.entry == rows[2].pk


def test_a_batch_of_several_pages() -> None:
    made = entries(30)
    chain.seal(100)
    break_in("UPDATE audit_entry SET actor = 'nobody' WHERE id = %s", made[-1].pk)

    assert found() == ("entry", made[-1].pk, 30)


def told(*words: str) -> str:
    out = io.StringIO()
    call_command("verify-audit", *words, stdout=out)
    return out.getvalue().strip()


def test_the_command_says_the_head(rows: list[Entry]) -> None:
    head = f"9:{heads()['_9']}"

    assert told("--head", head) == f"9 entries, head {head}"
    assert json.loads(told("--json")) == {"ok": True, "entries": 9, "waiting": 0, "head": head, "broken": None}


def test_the_command_fails_and_names_the_row(rows: list[Entry]) -> None:
    pk = rows[4].pk
    break_in("UPDATE audit_entry SET actor = 'nobody' WHERE id = %s", pk)
    out = io.StringIO()

    with pytest.raises(CommandError, match=rf"entry {pk} was changed, .*\(position 5 of the chain\)") as failed:
        call_command("verify-audit", "--json", stdout=out)
    assert failed.value.returncode == 1
    said = json.loads(out.getvalue())
    assert (said["ok"], said["broken"]["what"], said["broken"]["entry"], said["broken"]["position"]) == (
        False,
        "entry",
        pk,
        5,
    )


@pytest.mark.parametrize("head", ["9", "9:abc", "0:" + "a" * 64, "x"])
def test_the_command_refuses_what_is_no_head(head: str) -> None:
    with pytest.raises(CommandError, match="POSITION:HASH"):
        told("--head", head)


def test_it_only_reads(rows: list[Entry]) -> None:
    statements = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        verify({})

    assert statements
    assert {sql.split()[0] for sql in statements} == {"SELECT"}
