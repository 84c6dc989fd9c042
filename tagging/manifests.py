"""Deleting manifests by their digests, once it is certain that no tag points to them any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Repository, Tag
from catalog.recording import presences
from catalog.recording.chunks import by_number
from catalog.recording.refreshing import unsettle
from catalog.rows import hold
from catalog.scanning.known import known_tags
from oci.errors import NotFound, RegistryError
from oci.names import Digest, RepositoryName, TagName, parse_repository, parse_tag
from tagging.course import REFUSALS, REFUSES, BrokenOff, Course, may_have_been_heard
from tagging.models import PlanItem, TrashEntry
from tagging.outcome import Outcome, give_back, settle
from tagging.trash import keep

CHUNK: Final = 50
_THREADS: Final = 8
_READ_TOGETHER: Final = 500  # tags
_TAGGED: Final = gettext_noop("the tag %(tag)s points to it, so it stays")
_UNKEPT: Final = gettext_noop("its manifest could not be kept, so it was not deleted")
SENTENCES: Final = (_TAGGED, _UNKEPT)


class ManifestDeletion:
    """In one repository. Raises BrokenOff and RegistryError once the rest would only fail too."""

    def __init__(self, course: Course, repository_id: int) -> None:
        self._course, self._repository_id = course, repository_id
        self._name: RepositoryName = parse_repository(course.repository(repository_id).name)

    def delete(self, items: Sequence[PlanItem]) -> None:
        """All manifests that are to go, in the order of the plan: what lists others comes before them."""
        tagged = self._tagged({item.digest for item in items})
        stay = [
            Outcome.skipped(item, _TAGGED % {"tag": tagged[item.digest]}) for item in items if item.digest in tagged
        ]
        with self._course.lease.writing():
            settle(self._course.plan, stay, timezone.now())
        self._course.tell(settled=len(stay))
        going = [item for item in items if item.digest not in tagged]
        for start in range(0, len(going), CHUNK):
            self._carry(self._begin(going[start : start + CHUNK]))

    def finish(self, items: Sequence[PlanItem]) -> None:
        """What somebody began, and then died: done where the manifest is gone, else as it was planned."""
        there = [item for item in items if self._is_there(Digest.parse(item.digest))]
        left = {item.pk for item in there}
        self._settle([item for item in items if item.pk not in left], there)

    def _is_there(self, digest: Digest) -> bool:
        try:
            self._course.client.manifest(self._name, digest)  # a HEAD has no words, and a plain 404 is a proxy's
        except NotFound as refusal:
            if not refusal.reasons:
                raise
            return False
        return True

    def _tagged(self, digests: set[str]) -> dict[str, str]:
        """A tag of each of `digests` that one points to now. Every tag of the repository is read for it.

        A tag that came since this was planned would else go with the digest, and nobody had seen it named. Those that
        the catalog knows are read too, should the registry not list them.
        """
        found: dict[str, str] = {}
        every = dict.fromkeys([*self._listed(), *self._known(digests)])
        with ThreadPoolExecutor(_THREADS) as threads:
            for names in by_number(every, _READ_TOGETHER):
                known = known_tags(self._repository_id, names)
                pairs = threads.map(lambda tag, known=known: (tag, self._digest_of(tag, known)), names)
                found |= {digest: tag for tag, digest in pairs if digest in digests}
                self._course.tell()
        return found

    def _listed(self) -> Iterable[TagName]:
        try:
            for page in self._course.client.tags(self._name):
                yield from page.names
        except NotFound as refusal:
            if not refusal.unknown_name:
                raise

    def _known(self, digests: Iterable[str]) -> Iterable[TagName]:
        live = Tag.objects.live().filter(repository=self._repository_id)
        for piece in by_number(digests, _READ_TOGETHER):
            yield from map(parse_tag, live.filter(presence__manifest__digest__in=piece).values_list("name", flat=True))

    def _digest_of(self, tag: TagName, known: dict[str, object]) -> str:
        digest = str(getattr(known.get(tag), "digest", ""))
        try:
            unless = Digest.parse(digest) if digest else None
            fetched = self._course.client.manifest(self._name, tag, unless=unless)
        except NotFound as refusal:
            if not refusal.reasons:
                raise
            return ""  # it went meanwhile, or its manifest is gone
        return digest if fetched is None else str(fetched.digest)

    def _begin(self, items: Sequence[PlanItem]) -> list[PlanItem]:
        plan, now = self._course.plan, timezone.now()
        digests = [item.digest for item in items]
        with self._course.lease.writing():
            hold(Repository, self._repository_id)
            # Of an image whose tags went with this plan, they are what is restored.
            mine = TrashEntry.objects.filter(plan=plan, digest__in=digests).exclude(tag="").exclude(deleted_at=None)
            kept = set(mine.values_list("digest", flat=True))
            alone = [item for item in items if item.digest not in kept]
            kept |= keep(plan, alone, TrashEntry.How.DIGEST, now)
            settle(plan, [Outcome.failed(item, _UNKEPT) for item in items if item.digest not in kept], now)
            begun = [item for item in items if item.digest in kept]
            PlanItem.objects.filter(pk__in=[item.pk for item in begun]).update(state=PlanItem.State.BEGUN)
        return begun

    def _carry(self, items: Sequence[PlanItem]) -> None:
        done: list[PlanItem] = []
        fault: RegistryError | None = None
        for item in items:
            try:
                self._delete(Digest.parse(item.digest))
            except RegistryError as error:
                fault = error
                break
            done.append(item)
        unsure = fault is not None and may_have_been_heard(fault)  # that one stays begun until it is found out
        self._settle(done, items[len(done) + unsure :])
        if isinstance(fault, REFUSALS):
            raise BrokenOff(REFUSES % {"why": fault}) from fault
        if fault is not None:
            raise fault

    def _delete(self, digest: Digest) -> None:
        try:
            self._course.client.delete_manifest(self._name, digest)
        except NotFound as refusal:
            if not refusal.reasons:
                raise

    def _settle(self, done: Sequence[PlanItem], left: Sequence[PlanItem]) -> None:
        course, now = self._course, timezone.now()
        digests = [item.digest for item in done]
        repository = course.repository(self._repository_id)
        with course.lease.writing():
            hold(Repository, self._repository_id)
            settle(course.plan, [Outcome.done(item) for item in done], now)
            # Nothing holds their blobs in the registry from now on.
            entries = TrashEntry.objects.filter(plan=course.plan, digest__in=digests)
            entries.update(how=TrashEntry.How.DIGEST, state=TrashEntry.State.AT_RISK)
            give_back(course.plan, left)
            unsettle(repository)
        presences.lose(course.lease, repository, digests, now)
        course.tell(settled=len(done))
