from __future__ import annotations

from dataclasses import dataclass

import pytest

from access.policy import may_administer, may_read


@dataclass(frozen=True)
class Someone:
    is_authenticated: bool = True
    is_active: bool = True
    is_staff: bool = False


NOBODY = Someone(is_authenticated=False, is_active=False)
READER = Someone()
STAFF = Someone(is_staff=True)
LEFT = Someone(is_active=False, is_staff=True)


@pytest.mark.parametrize(
    ("person", "reads", "administers"),
    [(NOBODY, False, False), (READER, True, False), (STAFF, True, True), (LEFT, False, False)],
)
def test_who_may_do_what(person: Someone, *, reads: bool, administers: bool) -> None:
    assert may_read(person, anonymous_read=False) is reads
    assert may_administer(person) is administers


def test_anyone_reads_where_the_setting_says_so_and_nobody_administers_by_it() -> None:
    assert may_read(NOBODY, anonymous_read=True)
    assert not may_administer(NOBODY)
