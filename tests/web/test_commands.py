"""The pages of the sweep by commands: which way each registry has, runs, and what staff can do about them."""

from __future__ import annotations

import gzip
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from cleanup.models import ClassicRun, ClassicStep, Timetable
from jobs.models import Job
from registries.models import Registry
from tests.web import furniture as make
from tests.web import harbour_commands as rows
from tests.web.pages import Page
from tests.web.sync_sent import words

pytestmark = pytest.mark.django_db(databases="__all__")

COMMANDS: Final = "/cleanup/commands"
EVIL: Final = "<img src=x onerror=alert(1)>\"'&"
BUTTONS: Final = ("Collect the garbage…", "Try again…", "Dry run", "Open the registry now", "Stop")
State = ClassicRun.State
Kind = ClassicStep.Kind
WAY: Final = """
[[registry]]
address = "https://local.example.org"
environment = { KUBECONFIG = "/etc/berth/a-secret-place" }
read-only-on = [["docker", "compose", "up", "-d", "a name with blanks"]]
garbage-collect = ["docker", "exec", "registry", "registry", "garbage-collect", "/config.yml"]
read-only-off = [["docker", "compose", "up", "-d"]]
"""


@pytest.fixture
def local(db: None) -> Registry:
    return make.registry("local", url="https://local.example.org")


@pytest.fixture
def way(settings: Settings, tmp_path: Path) -> Path:
    path = tmp_path / "commands.toml"
    path.write_text(WAY)
    path.chmod(0o600)
    settings.CLEANUP_COMMANDS = (path,)
    return path


def working(run: ClassicRun, state: Job.State = Job.State.RUNNING, **fields: Any) -> Job:
    params = {"run": run.pk, **fields.pop("params", {})}
    job = make.job(
        run.registry, state, kind="garbage-collect", title="Garbage collection of local", params=params, **fields
    )
    ClassicRun.objects.filter(pk=run.pk).update(job=job)
    return job


def test_a_registry_without_commands_says_so_and_shows_a_file_to_begin_with(client: Client, local: Registry) -> None:
    page = Page(client.get(COMMANDS).content.decode())
    assert "No commands are set up for it." in page.words
    assert "docker create --name registry-read-only" in page.words
    assert any(text.startswith("# Commands by which Berth sweeps") for text in page.copied)
    assert "deployment/registry" in words(client, f"{COMMANDS}?template=kubernetes")
    assert "docker create" in words(client, f"{COMMANDS}?template=nothing")


@pytest.mark.usefixtures("way")
def test_a_registry_with_commands_shows_them_to_who_is_signed_in(
    client: Client, local: Registry, settings: Settings
) -> None:
    settings.ANONYMOUS_READ = True
    page = Page(client.get(COMMANDS).content.decode())
    assert "docker compose up -d 'a name with blanks'" in page.copied
    assert "docker exec registry registry garbage-collect /config.yml --dry-run" in page.copied
    assert "KUBECONFIG" in page.words
    assert "a-secret-place" not in client.get(COMMANDS).content.decode()
    assert "a name with blanks" not in words(Client(), COMMANDS)


def test_a_file_that_others_may_write_is_said_to_who_is_signed_in(
    client: Client, staff_client: Client, local: Registry, way: Path, settings: Settings
) -> None:
    settings.ANONYMOUS_READ = True
    way.chmod(0o666)
    assert "since others than who runs Berth may write it" in words(client, COMMANDS)
    assert "Its commands cannot be used." in words(Client(), COMMANDS)
    assert str(way) not in words(Client(), COMMANDS)
    response = staff_client.post(f"{COMMANDS}/begin", {"registry": "local", "how": "plan"}, follow=True)
    assert "others than who runs Berth may write it" in Page(response.content.decode()).words
    assert not ClassicRun.objects.exists()


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "case",
    [
        (State.PLANNED, {}, {"Collect the garbage…", "Dry run"}),
        (State.BROKEN_OFF, {}, {"Try again…", "Dry run"}),
        (State.DONE, {}, {"Dry run"}),
        (State.STUCK, {"closed_at": timezone.now()}, {"Open the registry now"}),
    ],
)
def test_a_run_offers_what_can_be_done_in_its_state(
    case: tuple[ClassicRun.State, dict[str, Any], set[str]], client: Client, staff_client: Client, local: Registry
) -> None:
    state, fields, buttons = case
    url = rows.run(local, state, **fields).get_absolute_url()
    assert {button for button in BUTTONS if button in words(staff_client, url)} == buttons
    assert not any(button in words(client, url) for button in BUTTONS)


@pytest.mark.usefixtures("way")
def test_a_dry_run_is_begun_once(staff_client: Client, local: Registry) -> None:
    first = staff_client.post(f"{COMMANDS}/begin", {"registry": "local", "how": "plan"})
    second = staff_client.post(f"{COMMANDS}/begin", {"registry": "local", "how": "now", "sure": "1"})
    run = ClassicRun.objects.get()
    assert first["Location"] == second["Location"] == run.get_absolute_url()
    assert run.only_plan


@pytest.mark.usefixtures("way")
def test_what_makes_it_read_only_asks_first_and_says_how_long_it_took_last(
    staff_client: Client, local: Registry
) -> None:
    said = {"registry": "local", "how": "now"}
    asked = Page(staff_client.post(f"{COMMANDS}/begin", said).content.decode()).words
    assert "Nobody knows yet how long that takes" in asked
    assert not ClassicRun.objects.exists()
    now = timezone.now()
    done = rows.run(local, State.DONE, closed_at=now - timedelta(minutes=12), opened_at=now)
    asked = Page(staff_client.post(f"{COMMANDS}/begin", said).content.decode()).words
    assert "The last time it was read-only for 12 min" in asked
    staff_client.post(f"{COMMANDS}/begin", {**said, "sure": "1"})
    assert ClassicRun.objects.exclude(pk=done.pk).get().only_plan is False


@pytest.mark.usefixtures("way")
def test_what_was_planned_is_collected_after_a_yes(staff_client: Client, local: Registry) -> None:
    run = rows.run(local, State.PLANNED, only_plan=True)
    url = f"{run.get_absolute_url()}/carry-on"
    assert "Collect the garbage of local?" in Page(staff_client.post(url).content.decode()).words
    assert not Job.objects.exists()
    staff_client.post(url, {"sure": "1"})
    assert Job.objects.get().params == {"run": run.pk}
    staff_client.post(f"{run.get_absolute_url()}/stop")
    assert Job.objects.get().state == Job.State.STOPPED
    ClassicRun.objects.update(state=State.DONE)
    response = staff_client.post(url, {"sure": "1"}, follow=True)
    assert "It was carried out already." in Page(response.content.decode()).words


@pytest.mark.usefixtures("way")
def test_a_registry_that_was_left_closed_says_what_to_run_by_hand(
    staff_client: Client, client: Client, local: Registry, settings: Settings
) -> None:
    settings.ANONYMOUS_READ = True
    stuck = rows.run(local, State.STUCK, closed_at=timezone.now(), by_hand=[["docker", "restart", EVIL]])
    page = Page(client.get(stuck.get_absolute_url()).content.decode())
    assert "The registry may still be read-only." in page.words
    assert [text for text in page.copied if text.startswith("docker restart")]
    assert "docker restart" not in words(Client(), stuck.get_absolute_url())
    staff_client.post(f"{stuck.get_absolute_url()}/carry-on")
    assert Job.objects.get().params == {"run": stuck.pk}


def test_each_command_says_how_it_ended_and_what_it_printed(
    client: Client, local: Registry, settings: Settings
) -> None:
    settings.ANONYMOUS_READ = True
    run = rows.run(local, State.BROKEN_OFF, marked=6120, doomed=411, doomed_size=5_000_000)
    said = {"figures": {"marked": 6120, "doomed": 411, "manifests": 0}, "output": "x" * 9_000 + "\n" + EVIL}
    dry = rows.step(run, Kind.DRY_RUN, ["registry", EVIL], **said)
    rows.step(run, Kind.READ_ONLY_ON, ["true"], state=ClassicStep.State.FAILED, exit_code=3)
    url = run.get_absolute_url()
    text = words(client, url)
    for sentence in ("6,120 blobs stay, 411 go", "code 3", "1 min 15 s", "5.0 MB", "of 6,531 blobs"):
        assert sentence in text
    printed = words(client, f"{url}?step={dry.pk}")
    assert "What it printed: Dry run" in printed
    assert EVIL in printed
    assert "xxx" not in printed
    whole = client.get(f"{url}/steps/{dry.pk}/output")
    assert whole["Content-Type"].startswith("text/plain")
    assert whole["Content-Disposition"].startswith("attachment")
    assert len(whole.content) > 9_000
    for path in (url, f"{url}?step={dry.pk}"):
        assert EVIL not in words(Client(), path)
    assert Client().get(f"{url}/steps/{dry.pk}/output").status_code == 302
    assert "What it printed" not in words(client, f"{url}?step=99999999999999999999")


def test_a_step_of_another_run_is_not_there(client: Client, local: Registry) -> None:
    mine, other = rows.run(local, State.DONE), rows.run(local, State.DONE)
    step = rows.step(other, Kind.DRY_RUN, ["true"], output="its secret")
    assert "its secret" not in words(client, f"{mine.get_absolute_url()}?step={step.pk}")
    assert client.get(f"{mine.get_absolute_url()}/steps/{step.pk}/output").status_code == 404


def test_a_run_that_is_under_way_says_how_far_it_is(staff_client: Client, local: Registry) -> None:
    run = rows.run(local, State.UNDER_WAY, closed_at=timezone.now())
    job = working(run, progress={"phase": "collect"})
    rows.step(run, Kind.COLLECT, ["registry"], state=ClassicStep.State.BEGUN, ended_at=None, exit_code=None)
    url = run.get_absolute_url()
    part = staff_client.get(url, headers={"HX-Request": "true"})
    for text in (words(staff_client, url), Page(part.content.decode()).words):
        assert "Removing what is not used" in text
        assert "Garbage collection" in text
        assert "Under way" in text
    assert url in Page(staff_client.get(f"/jobs/{job.pk}").content.decode()).links
    Job.objects.update(state=Job.State.DONE)
    assert staff_client.get(url, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"


def test_a_run_that_asks_shows_its_question(staff_client: Client, local: Registry) -> None:
    run = rows.run(local, State.PLANNED, marked=10, doomed=9)
    asked = "9 of the 10 blobs of local would be removed. Go on?"
    question = {"text": asked, "yes": "Yes, remove them", "no": "No, leave them", "details": []}
    working(run, Job.State.ASKING, question=question)
    assert asked in words(staff_client, run.get_absolute_url())
    assert "Needs an answer" in words(staff_client, COMMANDS)
    assert "Answer" in words(staff_client, COMMANDS)


def test_a_schedule_has_no_grace_time(staff_client: Client, local: Registry, way: Path) -> None:
    url = f"{COMMANDS}/schedule/local"
    assert "grace_hours" not in staff_client.get(url).content.decode()
    staff_client.post(url, {"when": "every", "every": "7", "unit": "days", "zone": "UTC", "window": "01:00-05:00"})
    row = Timetable.objects.get()
    assert (row.work, row.grace_hours, row.read().every) == ("garbage-collect", None, 7 * 24 * 60)
    assert "every 7 days, within 01:00-05:00 (UTC)" in words(staff_client, COMMANDS)


@pytest.mark.usefixtures("way")
def test_the_pages_cost_few_queries_and_few_bytes(
    staff_client: Client, local: Registry, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for name in ("edge", "other"):
        rows.run(make.registry(name), State.DONE, closed_at=timezone.now(), opened_at=timezone.now())
    run = rows.run(local, State.UNDER_WAY, marked=10, doomed=9)
    working(run)
    printed = "\n".join(f"blob eligible for deletion: {make.blob_digest(str(number))}" for number in range(160))
    steps = [rows.step(run, Kind.COMPARE, ["registry", "garbage-collect", str(n)], output=printed) for n in range(60)]
    for url in (COMMANDS, f"{run.get_absolute_url()}?step={steps[0].pk}"):
        with django_assert_max_num_queries(10):
            response = staff_client.get(url)
        assert len(gzip.compress(response.content)) < 10_000
