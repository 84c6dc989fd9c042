"""What can end a start.

StartError       one line that says what is wrong and ends in its cure; exit code 2
├── StepFailed   a command that has to succeed first did not
└── GaveUp       a child died too often; exit code 1
Stopped          somebody asked us to end: Ctrl-C, SIGTERM, a closed terminal
"""

from __future__ import annotations

from typing import ClassVar


class StartError(Exception):
    exit_code: ClassVar = 2


class StepFailed(StartError):  # noqa: N818 - reads as what happened, like the rest of this tree
    def __init__(self, name: str, last_line: str) -> None:
        super().__init__(last_line or f"{name} failed and said nothing")


class GaveUp(StartError):  # noqa: N818
    exit_code: ClassVar = 1


class Stopped(Exception):  # noqa: N818
    pass
