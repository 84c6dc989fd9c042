"""The rows of the inbox. They may lie in a database of their own (`audit.routing`), so nothing refers to them."""

from __future__ import annotations

from django.db import models


class Delivery(models.Model):
    """What a registry has told in one request, as it came. It leaves the inbox once all of it has taken effect."""

    registry_id = models.BigIntegerField()
    received_at = models.DateTimeField()
    body = models.BinaryField()
    size = models.PositiveBigIntegerField()  # bytes that came; `body` has the first of them, where they were too many
    attempts = models.PositiveSmallIntegerField(default=0)  # to handle it, each counted before it began

    def __str__(self) -> str:
        return f"{self.pk}: {self.size} bytes of registry {self.registry_id}"


class Quarantined(models.Model):
    """What came from a registry and could not be handled, with the first of its bytes."""

    registry_id = models.BigIntegerField()
    received_at = models.DateTimeField()
    why = models.TextField()
    body = models.BinaryField()
    size = models.PositiveBigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["registry_id", "-id"], name="quarantine_of_a_registry")]

    def __str__(self) -> str:
        return f"{self.registry_id}: {self.why}"


class Refused(models.Model):
    """Somebody calls at the address of a registry, from here, and does not show its secret."""

    registry = models.CharField(max_length=40)  # as the caller named it
    address = models.CharField(max_length=64)  # "": one of many
    count = models.PositiveBigIntegerField()  # at least
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registry", "address"], name="one_refusal_of_an_address")]

    def __str__(self) -> str:
        return f"{self.registry} from {self.address}: {self.count}"
