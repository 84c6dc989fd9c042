"""Deleting manifests by their digests, once it is certain that no tag points to them any more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Repository, Tag
from catalog.recording import presences
from catalog.recording.chunks import by_number
from catalog.recording.refreshing import unsettle
from catalog.rows import hold
from catalog.scanning.known import KnownTag, known_tags
from oci.errors import BadAnswer, NotFound, RegistryError
from oci.model import ImageIndex
from oci.names import Digest, RepositoryName, TagName, parse_repository, parse_tag
from tagging.at_work import begun_by_others
from tagging.course import REFUSALS, REFUSES, UNKEPT, BrokenOff, Course, may_have_been_heard
from tagging.discarding import NOT_DONE, is_of_one_tag
from tagging.holders import held_below, holders
from tagging.models import PlanItem, TrashEntry
from tagging.outcome import Outcome, give_back, settle
from tagging.trash import keep

CHUNK: Final = 50
_THREADS: Final = 8
_READ_TOGETHER: Final = 500  # tags
_TAGGED: Final = gettext_noop("the tag %(tag)s points to it, so it stays")
_LISTED: Final = gettext_noop("the index %(digest)s lists it, so it stays")
_TORN: Final = gettext_noop(
    "The tag %(tag)s cannot be read, so nobody knows whether it points to one of these images: %(why)s. Delete that tag"
    " first."
)
SENTENCES: Final = (_TAGGED, _LISTED, _TORN)


class ManifestDeletion:
    """In one repository. Raises BrokenOff and RegistryError once the rest would only fail too."""

    def __init__(self, course: Course, repository_id: int) -> None:
        self._course, self._repository_id = course, repository_id
        self._name: RepositoryName = parse_repository(course.repository(repository_id).name)

    def delete(self, items: Sequence[PlanItem]) -> None:
        """All manifests that are to go, in the order of the plan: what lists others comes before them."""
        since, reasons = timezone.now(), self._reasons_to_stay(items)
        stay = [Outcome.skipped(item, reasons[item.digest]) for item in items if item.digest in reasons]
        with self._course.lease.writing():
            settle(self._course.plan, stay, timezone.now())
        self._course.tell(settled=len(stay))
        going = [item for item in items if item.digest not in reasons]
        while going:
            chunk, going = going[:CHUNK], going[CHUNK:]
            begun = self._begin(chunk, since)
            going = self._without_what_is_held(going, {item.digest for item in chunk} - {item.digest for item in begun})
            self._carry(begun)

    def _reasons_to_stay(self, items: Sequence[PlanItem]) -> dict[str, str]:
        """Why digests stay that a tag points to now, or that an index lists which stays: Berth breaks no index."""
        digests = {item.digest for item in items}
        tagged, listed = self._read_tags(digests)
        reasons = {digest: _TAGGED % {"tag": tag} for digest, tag in tagged.items()}
        reasons |= {d: _LISTED % {"digest": index} for d, index in listed.items() if d not in reasons}
        going = digests - set(reasons)
        held = holders(self._repository_id, going, going)
        reasons |= {digest: _LISTED % {"digest": indexes[0].digest} for digest, indexes in held.items()}
        return self._held_below(reasons, digests) | reasons

    def _without_what_is_held(self, items: list[PlanItem], staying: set[str]) -> list[PlanItem]:
        """Without those that an index lists which was to go before them, and stays after all: they are left alone."""
        held = self._held_below(staying, {item.digest for item in items})
        if not held:
            return items
        with self._course.lease.writing():
            stay = [Outcome.skipped(item, held[item.digest]) for item in items if item.digest in held]
            settle(self._course.plan, stay, timezone.now())
        return [item for item in items if item.digest not in held]

    def _held_below(self, staying: Collection[str], among: set[str]) -> dict[str, str]:
        return {digest: _LISTED % {"digest": index} for digest, index in held_below(staying, among).items()}

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

    def _read_tags(self, digests: set[str]) -> tuple[dict[str, str], dict[str, str]]:
        """A tag of each of `digests` that one points to now, and an index of each that one lists which is new to us.

        Every tag of the repository is read for it. What came since this was planned would else go with the digest, and
        nobody had seen it named. Those that the catalog knows are read too, should the registry not list them.
        """
        tagged: dict[str, str] = {}
        listed: dict[str, str] = {}
        every = dict.fromkeys([*self._listed(), *self._known(digests)])
        with ThreadPoolExecutor(_THREADS) as threads:
            for names in by_number(every, _READ_TOGETHER):
                known = known_tags(self._repository_id, names)
                for tag, digest, below in threads.map(lambda tag, known=known: self._read(tag, known), names):
                    if digest in digests:
                        tagged[digest] = tag
                    listed |= dict.fromkeys(below & digests, digest)
                self._course.tell()
        return tagged, {child: index for child, index in listed.items() if index not in digests}

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

    def _read(self, tag: TagName, known: Mapping[str, KnownTag]) -> tuple[TagName, str, set[str]]:
        """Where it points now, and what that lists where the catalog does not know it. Raises BrokenOff."""
        digest = known[tag].digest if tag in known else ""
        try:
            fetched = self._course.client.manifest(self._name, tag, unless=Digest.parse(digest) if digest else None)
        except NotFound as refusal:
            if not refusal.reasons:
                raise
            return tag, "", set()  # it went meanwhile, or its manifest is gone
        except RegistryError as fault:
            if not is_of_one_tag(fault):
                raise
            raise BrokenOff(_TORN % {"tag": tag, "why": fault}) from fault
        if fetched is None:
            return tag, digest, set()
        below = fetched.manifest.manifests if isinstance(fetched.manifest, ImageIndex) else ()
        return tag, str(fetched.digest), {str(child.digest) for child in below}

    def _begin(self, items: Sequence[PlanItem], since: datetime) -> list[PlanItem]:
        plan, now = self._course.plan, timezone.now()
        with self._course.lease.writing():
            hold(Repository, self._repository_id)
            wanted = {item.digest for item in items}
            tagged = self._tagged_since(wanted, since)
            reasons = {digest: _TAGGED % {"tag": tag} for digest, tag in tagged.items()}
            reasons |= self._held_below(tagged, wanted)
            stay = [Outcome.skipped(item, reasons[item.digest]) for item in items if item.digest in reasons]
            settle(plan, stay, now)
            items = [item for item in items if item.digest not in reasons]
            digests = [item.digest for item in items]
            # Of an image whose tags went with this plan, they are what is restored.
            mine = TrashEntry.objects.alive(now).filter(plan=plan, digest__in=digests).exclude(tag="")
            kept = set(mine.values_list("digest", flat=True))
            alone = [item for item in items if item.digest not in kept]
            kept |= keep(plan, alone, TrashEntry.How.DIGEST, now)
            unkept = set(digests) - kept
            held = self._held_below(unkept, kept)
            settle(plan, [Outcome.failed(item, UNKEPT) for item in items if item.digest in unkept], now)
            settle(plan, [Outcome.skipped(item, held[item.digest]) for item in items if item.digest in held], now)
            begun = [item for item in items if item.digest in kept and item.digest not in held]
            PlanItem.objects.filter(pk__in=[item.pk for item in begun]).update(state=PlanItem.State.BEGUN)
        return begun

    def _tagged_since(self, digests: set[str], since: datetime) -> dict[str, str]:
        """A tag of each digest that came to it since all tags were read, as far as Berth knows, or is just coming."""
        live = Tag.objects.live().filter(repository=self._repository_id, moved_at__gte=since)
        came = live.filter(presence__manifest__digest__in=digests).values_list("presence__manifest__digest", "name")
        others = begun_by_others(self._course.plan, self._repository_id)
        return dict(came) | {other.target: other.tag for other in others if other.puts and other.target in digests}

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
        if self._course.client.manifest_exists(self._name, digest):
            raise BadAnswer(NOT_DONE % {"digest": digest})

    def _settle(self, done: Sequence[PlanItem], left: Sequence[PlanItem]) -> None:
        course, now = self._course, timezone.now()
        digests = [item.digest for item in done]
        repository = course.repository(self._repository_id)
        with course.lease.writing():
            hold(Repository, self._repository_id)
            settle(course.plan, [Outcome.done(item) for item in done], now)
            # Nothing holds their blobs in the registry from now on, whichever plan threw them away.
            entries = TrashEntry.objects.filter(repository=repository, digest__in=digests)
            entries.update(state=TrashEntry.State.AT_RISK)
            entries.filter(plan=course.plan).update(how=TrashEntry.How.DIGEST)
            give_back(course.plan, left)
            unsettle(repository)
        presences.lose(course.lease, repository, digests, now)
        course.tell(settled=len(done))
