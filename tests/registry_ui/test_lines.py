from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from registry_ui.start.journal import Console
from registry_ui.start.lines import as_object
from registry_ui.start.supervisor import Service, Supervisor
from tests.registry_ui.processes import PYTHON


@pytest.mark.parametrize(
    ("line", "level", "logger", "message"),
    [
        ("words", "info", "it", "words"),
        ("7:M 25 Nov 2026 04:05:54.206 # WARNING Memory", "warning", "it", "WARNING Memory"),
        ("7:M 25 Nov 2026 04:05:54.206 * Ready", "info", "it", "Ready"),
        ("7:signal-handler (1795579580) Received SIGTERM", "info", "it", "Received SIGTERM"),
        ('{"level": "warning", "logger": "django", "message": "m"}', "warning", "django", "m"),
        ('{"level": "warn", "msg": "m", "go.version": "1"}', "warning", "it", "m"),
        ('{"level": "fatal", "msg": "m"}', "error", "it", "m"),
        ('{"a": 1}', "info", "it", '{"a": 1}'),
        ("{no json", "info", "it", "{no json"),
    ],
)
def test_each_line_has_its_level_and_no_second_prefix(line: str, level: str, logger: str, message: str) -> None:
    said = as_object("it", line)

    assert (said["level"], said["logger"], said["message"]) == (level, logger, message)
    assert said["time"]


def test_what_else_a_line_tells_is_kept() -> None:
    assert as_object("it", '{"level": "warn", "msg": "m", "go.version": "1"}')["go.version"] == "1"


def test_for_machines_every_line_is_an_object_also_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "print('7:M 25 Nov 2026 04:05:54.206 # careful\\n\\nbye', flush=True); import time; time.sleep(600)"
    console = Console("json", verbose=False)

    with Supervisor(console, tmp_path) as supervisor:
        one = supervisor.start(Service("one", (*PYTHON, code), {}))
        supervisor.wait_for(lambda: len(one.journal.tail) == 2, "it said nothing")
    console.warn("mind this")
    console.complain("two\nlines")

    shown, complaint = capsys.readouterr()
    said = [json.loads(line) for line in shown.splitlines()]
    assert [(line["level"], line["logger"], line["message"]) for line in said] == [
        ("warning", "one", "careful"),
        ("info", "one", "bye"),
        ("warning", "berth", "mind this"),
    ]
    assert (tmp_path / "one.log").read_text().splitlines() == shown.splitlines()[:2]
    assert json.loads(complaint)["message"] == "two\nlines"


def test_a_probe_of_our_own_is_no_news(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = "print('DELETE /v2/berth-probe/x\\nnews', flush=True); import time; time.sleep(600)"

    with Supervisor(Console("text", verbose=True), tmp_path) as supervisor:
        one = supervisor.start(Service("one", (*PYTHON, code), {}, noise="/v2/berth-probe/"))
        supervisor.wait_for(lambda: bool(one.journal.tail), "it said nothing")

    assert capsys.readouterr().out == "one      | news\n"
    assert (tmp_path / "one.log").read_text() == "news\n"


def test_the_last_lines_are_those_of_the_last_run(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    code = f"p = {str(counter)!r}; open(p, 'a').write('x'); print('run', len(open(p).read())); sys.exit(1)"

    with Supervisor(Console("text", verbose=False), tmp_path / "logs") as supervisor:
        one = supervisor.start(Service("one", (sys.executable, "-S", "-c", f"import sys; {code}"), {}))
        supervisor.wait_for(lambda: one.journal.tail == ["run 2"], "it was not born again")
