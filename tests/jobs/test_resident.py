"""Of the processes that would do a resident job one does it, and the next as soon as that one is surely gone."""

from __future__ import annotations

import os
import socket
import subprocess
from typing import Any

import pytest
from django.utils import timezone

from jobs import resident
from jobs.kinds import RESIDENT
from jobs.models import Job

pytestmark = pytest.mark.django_db
KIND = min(RESIDENT)


def held_by(**said: Any) -> None:
    """The job is that of another process, which differs from this one in what is `said`."""
    assert resident.take(KIND) is not None
    job = Job.objects.get(kind=KIND)
    Job.objects.update(params={**job.params, **said})


def ended_process() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_of_a_process_that_lives_nobody_takes_it() -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        held_by(process=other.pid, began=resident._began(other.pid))
        assert resident.take(KIND) is None
        other.kill()


def test_what_a_process_held_that_is_gone_is_free_at_once() -> None:
    held_by(process=ended_process())
    assert resident.take(KIND) is not None


def test_a_number_that_was_given_again_is_another_process() -> None:
    held_by(process=os.getppid(), began="1")
    assert resident.take(KIND) is not None


@pytest.mark.parametrize("machine", ["elsewhere", f"{socket.gethostname()} pid:[1]", socket.gethostname()])
def test_of_another_machine_or_container_nobody_knows_until_the_lease_ends(machine: str) -> None:
    held_by(machine=machine, process=ended_process())
    assert resident.take(KIND) is None
    Job.objects.update(leased_until=timezone.now())
    assert resident.take(KIND) is not None
