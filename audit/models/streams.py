"""What is known of the events of each registry: which were handled, and how the stream of them stands."""

from __future__ import annotations

from django.db import models


class SeenEvent(models.Model):
    """An event that has taken effect; whatever comes under its id again has none."""

    registry_id = models.BigIntegerField()
    event_id = models.CharField(max_length=64)
    content = models.BinaryField(max_length=16)  # the first bytes of the SHA-256 of what it said
    delivery_id = models.BigIntegerField()  # of the inbox: what is handled again after a crash is no repetition
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registry_id", "event_id"], name="an_event_is_seen_once")]

    def __str__(self) -> str:
        return f"{self.registry_id}: {self.event_id}"


class EventStream(models.Model):
    """How what a registry tells stands. Times are ours, but for `claimed_at`; counts are since the first event."""

    registry_id = models.BigIntegerField(primary_key=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()  # when the newest delivery came in
    handled_at = models.DateTimeField()  # when it had taken effect
    claimed_at = models.DateTimeField(null=True, blank=True)  # when it happened, as the registry says
    instance = models.CharField(max_length=255, blank=True)  # the running registry that was heard last of all
    instance_since = models.DateTimeField(null=True, blank=True)
    instances = models.JSONField(default=list)  # the last ones, since several may run at once
    deliveries = models.JSONField(default=list)  # of the inbox, that were counted last: after a crash they come again
    handled = models.PositiveBigIntegerField(default=0)  # events that took effect
    repeated = models.PositiveBigIntegerField(default=0)  # that came again
    own = models.PositiveBigIntegerField(default=0)  # that Berth itself caused, and that are no entries
    looks = models.PositiveBigIntegerField(default=0)  # HEAD of a manifest: not a pull
    blobs = models.PositiveBigIntegerField(default=0)  # pushes and pulls of a blob
    quarantined = models.PositiveBigIntegerField(default=0)
    unexplained = models.PositiveBigIntegerField(default=0)  # changes that a scan found and no event had told

    def __str__(self) -> str:
        return f"events of registry {self.registry_id}"
