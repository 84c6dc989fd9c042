"""Forgetting a registry: all that was read from it goes, and nothing else."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.models import F
from django.db.models.signals import post_delete, post_save, pre_delete
from django.utils import timezone

from audit import inbox
from audit.inbox import Refuse
from audit.models import EventStream, Quarantined, Refused
from catalog import card as cards
from catalog import removal
from catalog.models import Blob, Manifest, Presence, Repository, Scan, Tag, TagSpan
from catalog.versions import tag_key
from jobs import running
from jobs import services as jobs
from jobs.models import Job
from registries import event_secrets
from registries.models import Registry
from tests.meanwhile import receiving
from tests.web import furniture


def furnish(where: Registry, seed: str, repositories: int = 2) -> None:
    """Some images of its own, an index, and one image that every registry has."""
    for number in range(repositories):
        repository = furniture.repository(where, f"team/{seed}-{number}")
        child = furniture.image([("base", 10), (f"{seed}-{number}", 20)])
        furniture.put(repository, child)
        furniture.put(repository, furniture.index([("linux/amd64", child)]), "1.0", "latest")
        furniture.put(repository, furniture.image([("everywhere", 5)]), "shared")
        furniture.settle(repository)
        cards.edit(repository, cards.Said("Team", "# What it is"), began_from=0, by="Mara")
        for presence in repository.presences.all():
            for tag in presence.tags.all():
                TagSpan.objects.create(
                    tag=tag, repository=tag.repository, manifest=presence.manifest, began=tag.first_seen
                )
    furniture.scan(where)


def counts() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in apps.get_app_config("catalog").get_models()}


@pytest.mark.django_db(databases="__all__")
def test_what_was_read_goes_and_what_others_show_stays() -> None:
    kept, gone = furniture.registry("kept"), furniture.registry("gone")
    furnish(kept, "kept")
    before = counts()
    furnish(gone, "gone", repositories=3)

    removal.remove_registry(gone)

    assert counts() == before
    assert list(Registry.objects.all()) == [kept]


@pytest.mark.django_db(databases="__all__")
def test_how_its_events_stood_goes_too() -> None:
    kept, gone = furniture.registry("kept"), furniture.registry("gone")
    now = timezone.now()
    for registry in (kept, gone):
        event_secrets.issue(registry)
        inbox.let_go([], [Refuse(registry.pk, b"{}", "it is broken")])
        Refused.objects.create(registry=registry.name, address="10.0.0.1", count=1, first_at=now, last_at=now)
        EventStream.objects.create(registry_id=registry.pk, first_at=now, last_at=now, handled_at=now)
    removal.remove_registry(gone)

    assert list(Quarantined.objects.values_list("registry_id", flat=True)) == [kept.pk]
    assert list(Refused.objects.values_list("registry", flat=True)) == ["kept"]
    assert list(EventStream.objects.values_list("registry_id", flat=True)) == [kept.pk]


@pytest.mark.django_db(databases="__all__")
def test_the_last_registry_leaves_an_empty_catalog() -> None:
    registry = furniture.registry()
    furnish(registry, "only")

    removal.remove_registry(registry)

    assert set(counts().values()) == {0}


@pytest.mark.parametrize("state", [Job.State.QUEUED, Job.State.RUNNING, Job.State.ASKING])
@pytest.mark.django_db(databases="__all__")
def test_nothing_goes_while_a_scan_is_not_over(state: Job.State) -> None:
    registry = furniture.registry()
    furnish(registry, "only")
    furniture.job(registry, state)
    before = counts()

    with pytest.raises(removal.StillWorking, match="Stop it on the jobs page"):
        removal.remove_registry(registry)

    registry.refresh_from_db()
    assert registry.retired_at is None
    assert counts() == before


@pytest.mark.django_db(databases="__all__")
def test_a_scan_that_is_queued_meanwhile_leaves_the_registry_as_it_was() -> None:
    registry = furniture.registry("main", username="alice", password="secret")
    furnish(registry, "only")
    before = counts()

    for remove in (removal.remove_registry, removal.request_removal):
        with (
            receiving(post_save, Registry, lambda instance, **_: furniture.job(instance, Job.State.QUEUED)),
            pytest.raises(removal.StillWorking, match=r"Scan of main.* then remove main"),
        ):
            remove(registry)

    registry = Registry.objects.get()
    assert (registry.name, registry.username, registry.password, registry.retired_at) == (
        "main",
        "alice",
        "secret",
        None,
    )
    assert counts() == before
    assert not Job.objects.filter(kind=removal.KIND).exists()


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_content_that_is_pointed_to_meanwhile_stays_for_the_next_removal() -> None:
    kept, gone = furniture.registry("kept"), furniture.registry("gone")
    furnish(gone, "gone")
    repository = furniture.repository(kept)

    def point(instance: Manifest, **_: object) -> None:
        Presence.objects.create(repository=repository, manifest=instance, dated=timezone.now(), dated_by="seen")

    with receiving(pre_delete, Manifest, point):
        removal.remove_registry(gone)

    assert list(Registry.objects.all()) == [kept]
    assert Manifest.objects.exists()
    removal.remove_registry(kept)
    assert set(counts().values()) == {0}


@pytest.mark.django_db(databases="__all__")
def test_a_scan_that_begins_meanwhile_finds_all_content() -> None:
    kept, gone = furniture.registry("kept"), furniture.registry("gone")
    furnish(gone, "gone")
    manifests = Manifest.objects.count()

    def begin(**_: object) -> None:
        if not Job.objects.exists():
            furniture.job(kept)

    with receiving(post_delete, Manifest, begin):
        removal.remove_registry(gone)

    assert Manifest.objects.count() == manifests


@pytest.mark.django_db(databases="__all__")
def test_content_goes_only_while_the_lease_holds() -> None:
    registry = furniture.registry("gone")
    furnish(registry, "gone")
    job = removal.request_removal(registry)

    def take_over(**_: object) -> None:
        Job.objects.filter(pk=job.pk).update(fence=F("fence") + 1)

    with receiving(post_delete, Registry, take_over):
        running.run(job.pk)

    assert not Registry.objects.exists()
    assert Manifest.objects.exists()
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING


@pytest.mark.django_db(databases="__all__")
def test_content_waits_while_another_registry_is_scanned() -> None:
    kept, gone = furniture.registry("kept"), furniture.registry("gone")
    furnish(gone, "gone")
    furniture.job(kept)

    removal.remove_registry(gone)

    assert not Repository.objects.exists()
    assert not Scan.objects.exists()
    assert Manifest.objects.exists()
    Job.objects.update(state=Job.State.DONE)
    removal.remove_registry(kept)
    assert not Manifest.objects.exists()
    assert not Blob.objects.exists()


@pytest.mark.django_db(databases="__all__")
def test_a_removal_that_was_interrupted_is_finished_by_the_next() -> None:
    registry = furniture.registry(retired_at=timezone.now())
    furnish(registry, "only")
    TagSpan.objects.all().delete()
    Tag.objects.filter(name="1.0").delete()

    removal.remove_registry(registry)

    assert set(counts().values()) == {0}


@pytest.mark.django_db(databases="__all__")
def test_more_rows_than_a_batch_holds() -> None:
    registry = furniture.registry()
    repository = furniture.repository(registry)
    tags = [Tag(repository=repository, name=f"t{n}", key=tag_key(f"t{n}")) for n in range(1200)]
    Tag.objects.bulk_create(tags)

    removal.remove_registry(registry)

    assert set(counts().values()) == {0}


@pytest.mark.django_db(databases="__all__")
def test_stopping_the_work_on_a_registry_that_moves() -> None:
    registry, other = furniture.registry(), furniture.registry("other")
    queued = furniture.job(registry, Job.State.QUEUED)
    theirs = furniture.job(other)

    removal.stop_work(registry)

    queued.refresh_from_db()
    theirs.refresh_from_db()
    assert queued.state == Job.State.STOPPED
    assert theirs.stop_requested_at is None


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_removal_is_a_job_that_may_be_stopped_and_run_again() -> None:
    registry = furniture.registry("gone")
    furnish(registry, "gone")
    job = removal.request_removal(registry)
    registry.refresh_from_db()
    assert (registry.name, registry.password) == ("gone-old", "")
    assert not Registry.objects.active().exists()
    jobs.stop(job)
    assert Registry.objects.exists()

    again, _ = jobs.again(job)
    running.run(again.pk)

    again.refresh_from_db()
    assert again.state == Job.State.DONE
    assert set(counts().values()) == {0}
    assert not Registry.objects.exists()
