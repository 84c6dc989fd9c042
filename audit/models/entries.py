"""The rows of the audit: each written once, when it is known how an act ended, and never touched again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models.append_only import AppendOnlyModel, AppendOnlyQuerySet


class EntryQuerySet(AppendOnlyQuerySet["Entry"]):
    def newest_first(self) -> Self:
        return self.order_by("-id")

    def of_tag(self, registry_id: int, repository: str, tag: str) -> Self:
        return self.filter(registry_id=registry_id, repository=repository, tag=tag)

    def but_pulls(self) -> Self:
        """Of a tag they are in an index of their own: of what happens to it most is a pull."""
        return self.exclude(act=Entry.Act.PULL)

    def done_at(self, moments: Iterable[datetime | None]) -> Self:
        """What was done at just these moments: an act and the change that it made have the same one."""
        return self.filter(at__in=set(moments) - {None}, outcome=Entry.Outcome.DONE)


class Entry(AppendOnlyModel):
    """One act on one thing. Names are as they were then, the ids beside them are values and point to nothing."""

    class Act(models.TextChoices):
        DELETE_TAG = "delete-tag", _("deleted the tag")
        DELETE_MANIFEST = "delete-manifest", _("deleted the image")
        REMOVE_REPOSITORY = "remove-repository", _("removed the repository")
        RESTORE = "restore", _("restored")
        RETAG = "retag", _("tagged")
        COPY = "copy", _("copied")
        RENAME = "rename", _("renamed")
        ROLL_BACK = "roll-back", _("rolled back")
        REVERT = "revert", _("put back")
        SYNC = "sync", _("copied in")
        RULE_ADD = "rule-add", _("set up a sync rule")
        RULE_CHANGE = "rule-change", _("changed a sync rule")
        RULE_REMOVE = "rule-remove", _("removed a sync rule")
        POLICY_ADD = "policy-add", _("set up a policy of retention")
        POLICY_CHANGE = "policy-change", _("changed a policy of retention")
        POLICY_REMOVE = "policy-remove", _("removed a policy of retention")
        PROTECT = "protect", _("protected")
        UNPROTECT = "unprotect", _("protects no longer")
        PIN = "pin", _("said what is in use")
        UNPIN = "unpin", _("says no longer what is in use")
        BREACH_MOVE = "breach-move", _("a protected tag was moved from outside")
        BREACH_DELETE = "breach-delete", _("a protected tag was deleted from outside")
        EMPTY_TRASH = "empty-trash", _("removed from the trash")
        FOLD = "fold", _("counted pulls together")
        NOTICE_ADD = "notice-add", _("set up notices")
        NOTICE_CHANGE = "notice-change", _("changed notices")
        NOTICE_REMOVE = "notice-remove", _("removed notices")
        REGISTRY_ADD = "registry-add", _("added the registry")
        REGISTRY_CHANGE = "registry-change", _("changed the registry")
        REGISTRY_REMOVE = "registry-remove", _("removed the registry")
        SECRET_ISSUE = "secret-issue", _("issued a secret for events")
        SECRET_REVOKE = "secret-revoke", _("revoked a secret for events")
        HALT = "halt", _("found broken images, and stopped sweeps")
        LIFT = "lift", _("let sweeps run again")
        SWEEP = "sweep", _("swept blobs that nothing used")
        UNSWEEP = "unsweep", _("put back what a sweep took")
        CLEAR_UPLOADS = "clear-uploads", _("removed uploads that were left")
        COLLECT_GARBAGE = "collect-garbage", _("collected the garbage")
        TIMETABLE = "timetable", _("said when cleanup is due")
        # What registries tell of others, and what scans find:
        PUSH = "push", _("pushed")
        PUSH_AGAIN = "push-again", _("pushed again")
        MOVE = "move", _("moved the tag")
        PULL = "pull", _("pulled")
        MOUNT = "mount", _("mounted layers")
        DELETE_BLOB = "delete-blob", _("deleted a layer")
        CHANGE = "change", _("changed, and no event told so")
        GAP = "gap", _("events may be missing")
        OTHER = "other", _("did what Berth has no word for")

    class Outcome(models.TextChoices):
        DONE = "done", _("Done")
        SKIPPED = "skipped", _("Left alone")
        FAILED = "failed", _("Failed")

    class Source(models.TextChoices):
        """Who told it."""

        BERTH = "berth", _("Berth did it")
        EVENT = "event", _("the registry told it")
        SCAN = "scan", _("a scan found it")

    key = models.CharField(max_length=64, unique=True)  # of the act: whoever records it twice records it once
    at = models.DateTimeField(default=timezone.now)  # when Berth did it, or came to know it
    since = models.DateTimeField(null=True, blank=True)  # when it happened at the earliest
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.BERTH)
    act = models.CharField(max_length=24, choices=Act.choices)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    actor = models.CharField(max_length=255, blank=True)  # "": Berth itself, or nobody knows
    actor_id = models.BigIntegerField(null=True, blank=True)
    registry = models.CharField(max_length=40, blank=True)
    registry_id = models.BigIntegerField(null=True, blank=True)
    repository = models.CharField(max_length=255, blank=True)
    tag = models.CharField(max_length=128, blank=True)
    digest_before = models.CharField(max_length=135, blank=True)
    digest_after = models.CharField(max_length=135, blank=True)
    why = models.TextField(blank=True)  # as the person said it
    detail = models.TextField(blank=True)  # how it came to this outcome, in a sentence
    plan_id = models.BigIntegerField(null=True, blank=True)
    count = models.PositiveIntegerField(default=1)  # of pulls that are one entry, of layers that were mounted
    from_repository = models.CharField(max_length=255, blank=True)  # where layers were mounted from
    # As the registry claims it; the actor of an event too.
    claimed_at = models.DateTimeField(null=True, blank=True)
    address = models.CharField(max_length=255, blank=True)
    user_agent = models.CharField(max_length=255, blank=True)
    event_id = models.CharField(max_length=64, blank=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        # One for each thing that lists are narrowed to (`audit.reads.ways`); the ids behind it are the order of a list.
        indexes = [
            models.Index(fields=["registry_id", "repository", "tag", "-id"], name="entries_of_a_tag"),
            models.Index(
                fields=["registry_id", "repository", "tag", "id"], condition=~models.Q(act="pull"), name="acts_on_a_tag"
            ),
            models.Index(fields=["plan_id", "id"], condition=models.Q(plan_id__isnull=False), name="entries_of_a_plan"),
            # Those that `audit.folding` has made have `since`.
            models.Index(fields=["at", "id"], condition=models.Q(act="pull", since=None), name="pulls_to_fold"),
            models.Index(fields=["at"], name="entries_by_time"),
            models.Index(fields=["act", "id"], name="entries_of_an_act"),
            models.Index(fields=["outcome", "id"], condition=~models.Q(outcome="done"), name="entries_not_done"),
            models.Index(fields=["source", "id"], name="entries_of_a_source"),
            models.Index(fields=["actor", "id"], name="entries_of_a_person"),
            models.Index(fields=["address", "id"], name="entries_of_an_address"),
            models.Index(fields=["registry_id", "id"], name="entries_of_a_registry"),
            models.Index(
                fields=["repository", "id"],
                opclasses=["varchar_pattern_ops", "int8_ops"],  # on PostgreSQL: how a name begins is a range by bytes
                name="entries_of_a_repository",
            ),
            models.Index(fields=["tag", "id"], name="entries_of_a_tag_name"),
            models.Index(fields=["digest_after", "id"], name="entries_to_a_digest"),
            models.Index(
                fields=["digest_before", "id"], condition=models.Q(digest_before__gt=""), name="entries_from_a_digest"
            ),
        ]

    @property
    def names_recipients(self) -> bool:
        """Its detail says whom notices go to, which is for whoever has signed in."""
        return self.act in {self.Act.NOTICE_ADD, self.Act.NOTICE_CHANGE, self.Act.NOTICE_REMOVE}

    def __str__(self) -> str:
        return f"{self.act} {self.registry}/{self.repository}:{self.tag}"
