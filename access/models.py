"""The people who sign in."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person. Staff may act on the registries; anyone who is active may read."""

    language = models.CharField(max_length=16, blank=True)  # "ko"; "": what the browser asks for
    pull_tool = models.CharField(max_length=16, blank=True)  # whose commands the pages show first; "": docker

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @property
    def initials(self) -> str:
        """One or two letters for the round sign beside the name."""
        return initials_of(self.get_full_name() or self.username)


def initials_of(name: str) -> str:
    """Those of `ci-platform` are CP, those of `mara` MA."""
    words = name.replace(".", " ").replace("-", " ").split() or [""]
    letters = words[0][:1] + words[-1][:1] if len(words) > 1 else words[0][:2]
    return letters.upper()
