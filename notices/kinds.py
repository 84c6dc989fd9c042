"""The kinds of things that a recipient may want to be told, and what each is called in a CloudEvent."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.models import Entry

_Act = Entry.Act


class Kind(models.TextChoices):
    BREACH = "breach", _("A protected tag was moved or deleted from outside")
    PUSH = "push", _("A tag was pushed, moved or set")
    DELETE = "delete", _("A tag, an image or a repository was deleted")
    BROKEN = "broken", _("A check found broken images")
    JOB_FAILED = "job-failed", _("A job failed")


OF_AN_ACT: Final[dict[str, tuple[Kind, str]]] = {
    _Act.BREACH_MOVE: (Kind.BREACH, "io.berth.protected-tag.moved"),
    _Act.BREACH_DELETE: (Kind.BREACH, "io.berth.protected-tag.deleted"),
    _Act.PUSH: (Kind.PUSH, "io.berth.tag.pushed"),
    _Act.PUSH_AGAIN: (Kind.PUSH, "io.berth.tag.pushed-again"),
    _Act.MOVE: (Kind.PUSH, "io.berth.tag.moved"),
    _Act.RETAG: (Kind.PUSH, "io.berth.tag.tagged"),
    _Act.COPY: (Kind.PUSH, "io.berth.tag.copied"),
    _Act.RENAME: (Kind.PUSH, "io.berth.tag.renamed"),
    _Act.ROLL_BACK: (Kind.PUSH, "io.berth.tag.rolled-back"),
    _Act.REVERT: (Kind.PUSH, "io.berth.tag.put-back"),
    _Act.RESTORE: (Kind.PUSH, "io.berth.tag.restored"),
    _Act.DELETE_TAG: (Kind.DELETE, "io.berth.tag.deleted"),
    _Act.DELETE_MANIFEST: (Kind.DELETE, "io.berth.image.deleted"),
    _Act.REMOVE_REPOSITORY: (Kind.DELETE, "io.berth.repository.removed"),
    _Act.HALT: (Kind.BROKEN, "io.berth.images.broken"),
}
JOB_FAILED: Final = "io.berth.job.failed"
TEST: Final = "io.berth.test"
