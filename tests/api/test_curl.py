"""The lines of docs/api.md, as a shell runs them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.tagging.acting import Actor
from tests.web import furniture as make
from tests.web.served import served

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def lines_of(heading: str) -> str:
    """What stands indented below a heading."""
    section = re.split(r"^##+ ", DOCS.read_text(), flags=re.MULTILINE)
    [text] = [part for part in section if part.startswith(f"{heading}\n")]
    return "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))


@pytest.mark.django_db(transaction=True)
def test_a_shell_signs_in_and_acts(actor: Actor, tmp_path: Path) -> None:
    actor.push.image("1.4.0", "1.4.1", "1.4.2-rc1", "latest", "stays")
    actor.scan()
    actor.row.name = "local"
    actor.row.save()
    (tmp_path / "password.txt").write_text(make.PASSWORD)
    headings = ("Who may read", "Acting", "Plans", "The same request twice", "The same request twice")
    script = "\necho; ".join(map(lines_of, headings))
    with served() as origin:
        script = script.replace("https://berth.example.com", origin).replace("username=reader", "username=staff")
        ran = subprocess.run(["bash", "-eu", "-c", script], cwd=tmp_path, capture_output=True, check=False, text=True)
    assert ran.returncode == 0, ran.stderr
    assert actor.listed() == {"stays"}
    *_, first, again = (json.loads(line) for line in ran.stdout.splitlines() if '"delete-tags"' in line)
    assert first == again
    assert first["state"] == "done"
