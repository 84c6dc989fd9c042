"""The lines of docs/api.md and docs/cleanup.md, as a shell runs them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from cleanup.models import Pin, Policy, RetentionRun
from registries.models import Registry
from sync.models import Run
from tests.tagging.acting import Actor
from tests.web import furniture as make
from tests.web.served import served

DOCS = Path(__file__).resolve().parents[2] / "docs"


def lines_of(heading: str, name: str = "api.md") -> str:
    """What stands indented below a heading."""
    section = re.split(r"^##+ ", (DOCS / name).read_text(), flags=re.MULTILINE)
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


@pytest.mark.django_db(transaction=True)
def test_a_shell_keeps_a_rule_of_sync_and_copies(actor: Actor, tmp_path: Path) -> None:
    """From a source of this machine in place of Docker Hub."""
    make.registry("local", url="http://127.0.0.1:1")
    make.registry("prod", url="http://127.0.0.1:2")
    make.put(make.repository(make.registry("staging", url="http://127.0.0.1:3"), "team/app"), make.image(), "1.4.2")
    url, sent = actor.row.url, '{"preset": "docker-hub", "name": "docker-hub"}'
    actor.row.delete()
    (tmp_path / "password.txt").write_text(make.PASSWORD)
    script = "\necho; ".join(map(lines_of, ("Who may read", "Acting", "Image sync")))
    assert sent in script
    script = script.replace(sent, f'{{"url": "{url}", "plain_http": true, "name": "docker-hub"}}')
    with served() as origin:
        script = script.replace("https://berth.example.com", origin).replace("username=reader", "username=staff")
        ran = subprocess.run(["bash", "-eu", "-c", script], cwd=tmp_path, capture_output=True, check=False, text=True)
    assert ran.returncode == 0, ran.stderr
    assert Registry.objects.get(name="docker-hub").role == Registry.Role.SOURCE
    assert list(Run.objects.order_by("pk").values_list("rule__name", "source__name", "target__name")) == [
        ("golang", "docker-hub", "local"),
        (None, "staging", "prod"),
    ]
    assert "/api/v1/jobs/" in ran.stdout


@pytest.mark.django_db(transaction=True)
@pytest.mark.any_database
def test_a_shell_says_what_is_in_use(tmp_path: Path) -> None:
    """With programs that print what kubectl and docker print."""
    make.person("staff", staff=True)
    (tmp_path / "password.txt").write_text(make.PASSWORD)
    a, b, c = (f"sha256:{letter * 64}" for letter in "abc")
    programs = {
        "kubectl": f"printf 'docker-pullable://team/app@{a} registry:5000/team/web@{b}  '",
        "docker": f'[ "$1" = ps ] && echo 4f5e6d || echo {c}',
    }
    for name, line in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    headings = [("Who may read", "api.md"), ("Acting", "api.md"), ("Pins", "cleanup.md")]
    script = "\necho; ".join(lines_of(*heading) for heading in headings).replace("sha256:…", a)
    with served() as origin:
        script = script.replace("https://berth.example.com", origin).replace("username=reader", "username=staff")
        script = f"PATH={tmp_path}:$PATH\n{script}"
        ran = subprocess.run(["bash", "-eu", "-c", script], cwd=tmp_path, capture_output=True, check=False, text=True)
    assert ran.returncode == 0, ran.stderr
    assert set(Pin.objects.values_list("holder__name", "digest")) == {
        ("cluster-a", a),
        ("cluster-a", b),
        ("machine-1", c),
        ("releases", a),
    }, ran.stdout


@pytest.mark.django_db(transaction=True)
@pytest.mark.any_database
def test_a_shell_sets_up_retention_and_looks_at_the_plan(tmp_path: Path) -> None:
    make.person("staff", staff=True)
    make.put(make.repository(make.registry("local"), "team/app"), make.image(), "1.4.0")
    (tmp_path / "password.txt").write_text(make.PASSWORD)
    headings = ("Who may read", "Acting", "Retention")
    script = "\necho; ".join(lines_of(heading, "api.md") for heading in headings)
    with served() as origin:
        script = script.replace("https://berth.example.com", origin).replace("username=reader", "username=staff")
        ran = subprocess.run(["bash", "-eu", "-c", script], cwd=tmp_path, capture_output=True, check=False, text=True)
    assert ran.returncode == 0, ran.stderr
    assert [policy.name for policy in Policy.objects.all()] == ["releases"]
    assert [run.actor for run in RetentionRun.objects.all()] == ["staff"]
    assert '"tag":"1.4.0"' in ran.stdout
    assert "/api/v1/jobs/" in ran.stdout
