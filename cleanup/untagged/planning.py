"""Planning a run: every repository is judged, and what is to go is written down with its reason, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext_noop

from catalog.models import Blob, Manifest, ManifestBlob, Repository, RepositoryBlob
from catalog.policy import MOST_BYTES
from catalog.recording.chunks import by_number
from catalog.recording.content import known_ids, store
from catalog.rows import insert, moment, select
from cleanup.models import UntaggedItem, UntaggedRun
from cleanup.untagged.judging import reasons_to_go
from cleanup.untagged.reaching import Holds, judged
from cleanup.untagged.sources import LeftAlone, Source
from jobs.running import Lease
from oci.errors import RegistryError, printable
from oci.fetched import Fetched

SHOWN: Final = 200  # repositories that were left alone, each with why
_WHY_LENGTH: Final = 500
_ROWS: Final = 250  # a transaction
_TOGETHER: Final = 20  # repositories
_COLUMNS: Final = (
    *("run_id", "position", "repository_id", "digest", "kind", "size", "since", "why"),
    *("state", "note"),
)
_BYTES: Final = 2 * 2**20  # of manifests that are held in memory at a time
_UNKNOWN: Final = gettext_noop("the catalog does not know it yet: it is judged after the next scan")
_UNREAD: Final = gettext_noop("a manifest in it could not be read: %(why)s")
SENTENCES: Final = (_UNKNOWN, _UNREAD)


class Planning:
    """`tell` is told how many repositories of how many are judged. Raises RegistryError where none can be."""

    def __init__(self, run: UntaggedRun, lease: Lease, source: Source, tell: Callable[[int, int], None]) -> None:
        self._run, self._lease, self._source, self._tell = run, lease, source, tell
        self._position = 0
        self._stays: Counter[str] = Counter()
        self._staying: set[str] = set()
        self._unrecorded: set[str] = set()  # blobs of what stays and the catalog has never read
        self._left_alone: list[tuple[str, str]] = []
        self._unknown: dict[str, Fetched] = {}  # what goes and the catalog has never read, with
        self._unknown_bytes = 0
        self._items: list[tuple[Any, ...]] = []  # rows by `_COLUMNS`, which are to be written after it

    def plan(self, now: datetime) -> None:
        """In short transactions; until the last of them it is not planned, and is planned anew by whoever comes."""
        run, before = self._run, now - timedelta(hours=self._run.grace_hours)
        with self._lease.writing():
            run.items.all().delete()
        rows = Repository.objects.filter(registry=run.registry).select_related("registry").order_by("name_key", "pk")
        repositories, unknown = self._source.repositories(list(rows))
        self._left_alone += [(name, _UNKNOWN) for name in unknown]
        holds = Holds.of(run.registry)
        for start in range(0, len(repositories), _TOGETHER):
            self._tell(start, len(repositories))
            together = repositories[start : start + _TOGETHER]
            self._source.look_ahead(together)
            for repository in together:
                self._judge(repository, before, holds)
        self._write()
        run.source, run.before, run.planned_at = self._source.kind, before, now
        run.found, run.stays = self._position + self._stays.total(), dict(self._stays)
        run.left_alone, run.left_alone_count = [list(one) for one in self._left_alone[:SHOWN]], len(self._left_alone)
        run.frees = self._freed()
        run.state = UntaggedRun.State.PLANNED
        with self._lease.writing():
            run.save(
                update_fields=[
                    *(
                        "source",
                        "source_note",
                        "before",
                        "planned_at",
                        "found",
                        "stays",
                        "left_alone",
                        "left_alone_count",
                        "frees",
                    ),
                    "state",
                ]
            )

    def _judge(self, repository: Repository, before: datetime, holds: Holds) -> None:
        try:
            contents, verdict = judged(self._source, repository, before, holds)
            self._read_unknown(repository, [one.digest for one in verdict.goes])
        except LeftAlone as finding:
            self._left_alone.append((repository.name, printable(str(finding), _WHY_LENGTH)))
            return
        self._stays.update(stay.value for stay in verdict.stays.values())
        self._staying |= verdict.stays.keys()
        self._unrecorded.update(*(contents.found[digest].unrecorded for digest in verdict.stays))
        for place, (one, why) in enumerate(reasons_to_go(verdict, contents.found)):
            size, since = min(MOST_BYTES, one.size), moment(one.since)
            row = (self._run.pk, self._position + place, repository.pk, one.digest, one.kind, size, since, why)
            self._items.append((*row, UntaggedItem.State.PLANNED.value, ""))
        self._position += len(verdict.goes)
        if len(self._items) >= _ROWS or self._unknown_bytes >= _BYTES:
            self._write()

    def _read_unknown(self, repository: Repository, digests: Collection[str]) -> None:
        """What the catalog never read, since the trash keeps only what that knows. Raises LeftAlone."""
        try:
            for digest in sorted(set(digests) - known_ids(digests).keys() - self._unknown.keys()):
                self._unknown[digest] = fetched = self._source.manifest(repository, digest)
                self._unknown_bytes += len(fetched.content)
                if self._unknown_bytes >= _BYTES:
                    self._store()
        except RegistryError as fault:
            raise LeftAlone(_UNREAD % {"why": fault}) from fault

    def _store(self) -> None:
        store(self._lease, self._unknown)
        self._unknown, self._unknown_bytes = {}, 0

    def _write(self) -> None:
        """Of several repositories together: each on its own would take as many transactions again."""
        self._store()
        for piece in by_number(self._items, _ROWS):
            with self._lease.writing():
                insert(UntaggedItem, _COLUMNS, piece)
        self._items = []

    def _freed(self) -> int:
        """Bytes of blobs of what goes that nothing else is known to use: the next sweep can take them."""
        going = {pk for digests in self._going() for (pk,) in select(Manifest, ("id",), "digest", digests)}
        blobs = {blob for (blob,) in select(ManifestBlob, ("blob_id",), "manifest_id", going)}
        here = set(Repository.objects.filter(registry=self._run.registry).values_list("pk", flat=True))
        used = {
            b for b, place in select(RepositoryBlob, ("blob_id", "repository_id"), "blob_id", blobs) if place in here
        }
        users = select(ManifestBlob, ("blob_id", "manifest_id"), "blob_id", blobs - used)
        digests = dict(select(Manifest, ("id", "digest"), "id", {manifest for _, manifest in users}))
        used |= {blob for blob, manifest in users if digests.get(manifest) in self._staying}
        freed = select(Blob, ("digest", "size"), "id", blobs - used)
        size: int = sum(size for digest, size in freed if digest not in self._unrecorded)
        return min(MOST_BYTES, size)

    def _going(self) -> Iterator[list[str]]:
        rows = self._run.items.order_by().values_list("digest", flat=True)
        yield from by_number(rows.iterator(), _ROWS * 20)
