"""What people write of a repository here; the registry knows nothing of it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from catalog.models.repositories import Repository

OWNER_LENGTH = 255


class RepositoryCard(models.Model):
    """Who owns a repository, and its README in Markdown. It stays when the repository goes, and goes with its registry.

    `version` grows with each edit, so that of two people who edit at once neither loses anything; 0: no row yet.
    """

    repository = models.OneToOneField(Repository, models.CASCADE, primary_key=True, related_name="card")
    owner = models.CharField(max_length=OWNER_LENGTH, blank=True)  # a person or a team, as people here call it
    readme = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=0)
    edited_at = models.DateTimeField(default=timezone.now)
    edited_by = models.CharField(max_length=255, blank=True)  # a name and no key: people may go

    def __str__(self) -> str:
        return f"card of {self.repository_id}"
