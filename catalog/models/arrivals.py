"""What events tell beside what the catalog holds: counts by the day, and events that wait for those they belong to."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models.content import DIGEST_LENGTH
from catalog.models.presences import Presence
from catalog.models.repositories import Repository
from registries.models import Registry


class PullDay(models.Model):
    """How often an image was pulled on a day, by UTC: kept apart from the rows that lists sort."""

    presence = models.ForeignKey(Presence, models.CASCADE, related_name="pull_days", db_index=False)
    day = models.DateField()
    pulls = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()
    is_folded = models.BooleanField(default=False)  # the presence has been told

    class Meta:
        constraints = [models.UniqueConstraint(fields=["presence", "day"], name="one_count_of_a_day")]
        indexes = [models.Index(fields=["presence"], condition=Q(is_folded=False), name="pull_days_to_tell")]

    def __str__(self) -> str:
        return f"{self.presence_id} {self.day}: {self.pulls}"


class PushDay(models.Model):
    """How often a repository was pushed to on a day, by UTC: one for each tag, as a registry tells."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="push_days", db_index=False)
    day = models.DateField()
    pushes = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "day"], name="one_count_of_pushes_of_a_day")]
        indexes = [models.Index(fields=["day"], name="push_days_by_day")]

    def __str__(self) -> str:
        return f"{self.repository_id} {self.day}: {self.pushes}"


class Waiting(models.Model):
    """Events of one caller that may be parts of something larger, of which no event has told yet.

    Who pushes an index pushes its children first, who pulls one pulls a child next, and layers are mounted one by
    one; and what comes first may be told last.
    """

    class Kind(models.TextChoices):
        PUSH = "push", _("a push by digest")
        PULL = "pull", _("a pull by digest")
        MOUNT = "mount", _("layers mounted")

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="+")
    repository = models.CharField(max_length=255)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    caller = models.CharField(max_length=64)  # hash of the actor, the address and the user agent
    digest = models.CharField(max_length=DIGEST_LENGTH, blank=True)  # "": of a mount
    from_repository = models.CharField(max_length=255, blank=True)  # of a mount
    told = models.JSONField()  # what its entry will say of the first of them
    count = models.PositiveIntegerField(default=1)
    began_at = models.DateTimeField()
    due_at = models.DateTimeField()  # then they are an entry of their own

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["registry", "repository", "kind", "caller", "digest", "from_repository"],
                name="what_waits_is_one_of_a_kind",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="waiting_by_end")]

    def __str__(self) -> str:
        return f"{self.kind} {self.repository}@{self.digest}"


class Unread(models.Model):
    """What events have told of and could not be read yet: a tag, or where there is none, a digest that was deleted."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="+")
    repository = models.CharField(max_length=255)
    tag = models.CharField(max_length=128, blank=True)
    digest = models.CharField(max_length=DIGEST_LENGTH, blank=True)
    tries = models.PositiveSmallIntegerField(default=1)
    due_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["registry", "repository", "tag", "digest"], name="what_is_unread_is_so_once"
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="unread_by_time")]

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}@{self.digest}"


class ChangeLook(models.Model):
    """Until when the changes of a registry have been looked at for those that nobody told of."""

    registry = models.OneToOneField(Registry, models.CASCADE, related_name="+")
    begun_at = models.DateTimeField()  # what was there before then has not changed
    looked_until = models.DateTimeField()  # and none appears any more

    def __str__(self) -> str:
        return f"changes of {self.registry_id}"
