"""All rows of one repository: what it holds, with the content that came with it, as scans would have left them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Final, TypeAlias

from catalog.facets import ATTACHED, of_tags
from catalog.models import Presence, Repository
from catalog.models.repositories import LONG_AGO
from catalog.policy import lead_of
from catalog.recording.content import ENTRY_COLUMNS, MANIFEST_COLUMNS, manifest_row
from catalog.recording.presences import PRESENCE_COLUMNS
from catalog.recording.tags import TAG_COLUMNS
from catalog.rows import moment
from catalog.sort_keys import name_key
from catalog.versions import tag_key
from registry_ui.bench.catalog_data.builds import Builds, Held, blobs_of_bases
from registry_ui.bench.catalog_data.content import LABELS
from registry_ui.bench.catalog_data.moments import DAY, FIRST, LAST, SEEN_AFTER, scan_at, seen_at
from registry_ui.bench.catalog_data.shape import is_gone
from registry_ui.bench.catalog_data.tagging import LAST_BUILD, Style

Rows: TypeAlias = dict[str, list[tuple[Any, ...]]]  # by the name of the model
Changes: TypeAlias = Counter[tuple[int, int, str]]  # registry, number of the scan, what happened to a tag in it

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "Repository": (
        "id", "registry_id", "name", "name_key", "namespace", "state", "problem", "tag_count", "image_count",
        "problem_count", "size", "pushed", "facets", "newest_id", "first_seen", "changed_at", "scanned_at",
        "missed", "gone_at", "is_settled",
    ),
    "Blob": ("id", "digest", "size"),
    "ConfigDocument": ("blob_id", "compressed"),
    "Manifest": ("id", *MANIFEST_COLUMNS),
    "Document": ("manifest_id", "compressed"),
    "ManifestBlob": ("id", "manifest_id", "position", "blob_id"),
    "IndexEntry": ("id", *ENTRY_COLUMNS),
    "Label": ("id", "manifest_id", "name_id", "value"),
    "Presence": ("id", *PRESENCE_COLUMNS, "gone_at"),
    "Tag": ("id", *TAG_COLUMNS, "gone_at"),
    "TagSpan": ("id", "repository_id", "tag_id", "manifest_id", "began", "ended"),
    "RepositoryBlob": ("id", "repository_id", "blob_id", "references"),
}  # fmt: skip
_PROMOTED_EVERY: Final = 25
_PROMOTED: Final = 5  # images that come from the repository before
_SPANS: Final = 20  # that are kept of a tag that moves all the time
_UNREADABLE: Final = "the registry has no such manifest"
_FAILED: Final = "the registry answered 500 to its list of tags"


def rows_of(registry_id: int, builds: Builds, before: Builds | None) -> tuple[Rows, Changes]:
    """`before`: the repository of the number before, where this one has images of it (see `is_promoted`)."""
    return _Writer(registry_id, builds).write(before)


def is_promoted(number: int) -> bool:
    """Whether some images were copied from the repository of the number before."""
    return number % _PROMOTED_EVERY == 0


class _Writer:
    def __init__(self, registry_id: int, builds: Builds) -> None:
        self._registry, self._builds, self._number, self._ids = registry_id, builds, builds.number, builds.ids
        self._is_gone = is_gone(self._number)
        self._rows: Rows = {name: [] for name in COLUMNS}
        self._changes: Changes = Counter()
        self._changed_at = LONG_AGO
        self._live_tags = 0

    def write(self, before: Builds | None) -> tuple[Rows, Changes]:
        held = self._with_promoted(before)
        self._lose(held)
        signatures = self._builds.sign([one for one in held if not one.gone_at]) if self._builds.signed else []
        here = [one for top in (*held, *signatures) for one in top.everything() if not one.is_absent]
        for one in here:
            one.presence = self._ids.next("Presence")
            if one.is_own:
                self._write_content(one)
        self._write_blobs()
        self._point(held, signatures)
        self._write_rest(here)
        return self._rows, self._changes

    def _with_promoted(self, before: Builds | None) -> list[Held]:
        held = list(self._builds.held)
        if before is not None and self._builds.style is Style.SERVICE and not self._builds.is_multi:
            others = [one for one in reversed(before.held[-_PROMOTED:]) if not one.children]
            for back, other in zip(range(1, len(held)), others, strict=False):
                at = max(other.at, held[-back].at)
                held[-back] = Held(other.id, other.record, at, other.blobs, is_own=False)
        return held

    def _lose(self, held: Sequence[Held]) -> None:
        """Some are gone, and of some a part is missing."""
        floats = self._builds.history.floats.values()
        if self._is_gone:
            going = held
        elif self._number % 10 == 4 and len(held) > 2 and all(builds[-1] for builds in floats):  # noqa: PLR2004
            going = held[:1]
        else:
            going = []
        for one in (one for top in going for one in top.everything()):
            one.gone_at = max(seen_at(one.at) + DAY, seen_at(LAST_BUILD - (self._number % 90) * DAY))
        if self._number % 40 == 9 and held and held[-1].children:  # noqa: PLR2004
            child, entry = held[-1].children[-1], held[-1].record.entries[-1]
            child.is_absent = True
            names = (entry.os, entry.architecture, entry.variant)
            held[-1].problem = f"{'/'.join(filter(None, names))} is missing"

    # -- content ------------------------------------------------------------------

    def _write_content(self, held: Held) -> None:
        record, ids = held.record, self._ids
        blobs = {digest: self._blob(digest) for digest, _ in record.blobs}
        if record.config:
            self._rows["ConfigDocument"].append((blobs[record.blobs[0][0]], record.config_document))
        self._rows["Manifest"].append((held.id, *manifest_row(record, blobs)))
        self._rows["Document"].append((held.id, record.document))
        self._rows["ManifestBlob"] += [
            (ids.next("ManifestBlob"), held.id, place, blobs[digest]) for place, (digest, _) in enumerate(record.blobs)
        ]
        children = {child.record.digest: child.id for child in held.children if not child.is_absent}
        self._rows["IndexEntry"] += [
            (ids.next("IndexEntry"), held.id, place, children.get(entry.digest), *entry)
            for place, entry in enumerate(record.entries)
        ]
        labels = dict((*record.labels, *(record.config.labels if record.config else ())))
        self._rows["Label"] += [
            (ids.next("Label"), held.id, LABELS.index(name) + 1, value) for name, value in labels.items()
        ]

    def _blob(self, digest: str) -> int:
        shared = blobs_of_bases(self._builds.catalog.seed)
        return (shared.get(digest) or self._builds.own_blobs[digest])[0]

    def _write_blobs(self) -> None:
        used = {row[3] for row in self._rows["ManifestBlob"]}
        own = self._builds.own_blobs.items()
        self._rows["Blob"] += [(pk, digest, size) for digest, (pk, size) in own if pk in used]

    # -- tags ---------------------------------------------------------------------

    def _point(self, held: Sequence[Held], signatures: Iterable[Held]) -> None:
        history = self._builds.history
        for build, one in zip(history.builds, held, strict=True):
            one.tags = list(build.tags)
        for name, builds in history.floats.items():
            held[builds[-1]].tags.append(name)
            self._tag(name, [held[at] for at in builds])
        for one in (*held, *signatures):
            for name in one.tags:
                if name not in history.floats:
                    self._tag(name, [one])
        if self._builds.has_unreadable:
            self._tag("broken", [])
        if self._number % 10 == 3 and held and not self._is_gone:  # noqa: PLR2004
            for number in range(1 + self._number % 3):
                self._tag(f"old-{number}", [held[-1]], gone_at=seen_at(held[-1].at) + DAY)

    def _tag(self, name: str, past: Sequence[Held], gone_at: datetime | None = None) -> None:
        """A tag that pointed to each of `past`, of which the scans saw what was there when they looked."""
        seen: dict[datetime, Held] = {seen_at(one.at): one for one in past}
        times, pk = sorted(seen), self._ids.next("Tag")
        last = seen[times[-1]] if times else None
        gone_at = gone_at or (last.gone_at if last else None)
        first, moved = (times[0], times[-1]) if times else (FIRST + SEEN_AFTER,) * 2
        said = {
            "repository_id": self._number,
            "name": name,
            "key": tag_key(name),
            "presence_id": last.presence if last else None,
            "problem": "" if last else _UNREADABLE,
            "first_seen": moment(first),
            "moved_at": moment(moved),
            "link_ns": None,
        }
        self._rows["Tag"].append((pk, *(said[column] for column in TAG_COLUMNS), moment(gone_at)))
        ends = [*times[1:], gone_at][: len(times)]
        self._rows["TagSpan"] += [
            (self._ids.next("TagSpan"), self._number, pk, seen[began].id, moment(began), moment(ended))
            for began, ended in list(zip(times, ends, strict=True))[-_SPANS:]
        ]
        self._live_tags += gone_at is None
        self._note(first, "new")
        for when in times[1:]:
            self._note(when, "moved")
        if gone_at:
            self._note(gone_at, "gone")
        self._changed_at = max(self._changed_at, gone_at or LONG_AGO, moved if moved > first else LONG_AGO)

    def _note(self, when: datetime, what: str) -> None:
        self._changes[self._registry, scan_at(when), what] += 1

    # -- the repository -------------------------------------------------------------

    def _write_rest(self, here: Sequence[Held]) -> None:
        shown = [self._write_presence(one) for one in here]
        live = [row for row in shown if row["tag_count"]]
        newest = max(
            live, key=lambda row: (not row["facets"] & ATTACHED, row["at"], row["lead_key"], row["id"]), default=None
        )
        present = [one for one in here if not one.gone_at]
        uses = Counter(blob for one in present for blob in one.blobs)
        self._rows["RepositoryBlob"] += [
            (self._ids.next("RepositoryBlob"), self._number, blob, count) for blob, count in uses.items()
        ]
        failed = self._number % 500 == 77  # noqa: PLR2004
        states = Repository.State
        name = self._builds.name
        said = {
            "id": self._number,
            "registry_id": self._registry,
            "name": name,
            "name_key": name_key(name),
            "namespace": name.rpartition("/")[0],
            "state": (states.FAILED if failed else states.WHOLE if self._live_tags else states.EMPTY).value,
            "problem": _FAILED if failed else "",
            "tag_count": self._live_tags,
            "image_count": len(live),
            "problem_count": sum(row["state"] != Presence.State.WHOLE.value for row in live)
            + self._builds.has_unreadable,
            "size": sum({blob: size for one in present for blob, size in one.blobs.items()}.values()),
            "pushed": sum(row["size"] for row in live),
            "facets": reduce(or_, (row["facets"] for row in live), 0),
            "newest_id": newest and newest["id"],
            "first_seen": moment(FIRST),
            "changed_at": moment(max(self._changed_at, newest["at"] if newest else LONG_AGO)),
            "scanned_at": moment(FIRST + SEEN_AFTER),
            "missed": 2 if self._is_gone else 0,
            "gone_at": moment(LAST - DAY) if self._is_gone else None,
            "is_settled": True,
        }
        self._rows["Repository"].append(tuple(said[column] for column in COLUMNS["Repository"]))

    def _write_presence(self, one: Held) -> dict[str, Any]:
        """The values of the row, and `at`, its date."""
        tags = [] if one.gone_at else one.tags
        lead = lead_of(tags) if tags else ""
        dated, dated_by = _dated(one)
        blobs = {pk: size for held in one.everything() if not held.is_absent for pk, size in held.blobs.items()}
        said = {
            "id": one.presence,
            "at": dated,
            "repository_id": self._number,
            "manifest_id": one.id,
            "size": sum(blobs.values()),
            "state": (Presence.State.INCOMPLETE if one.problem else Presence.State.WHOLE).value,
            "problem": one.problem,
            "tag_count": len(tags),
            "lead_tag": lead,
            "lead_key": tag_key(lead) if lead else b"",
            "facets": one.record.facets | of_tags(tags),
            "dated": moment(dated),
            "dated_by": dated_by.value,
            "first_seen": moment(seen_at(one.at)),
            "gone_at": moment(one.gone_at),
        }
        self._rows["Presence"].append(tuple(said[column] for column in COLUMNS["Presence"]))
        return said


def _dated(one: Held) -> tuple[datetime, Presence.DatedBy]:
    """By the image itself where it was there before the first scan, else by the scan that saw it come."""
    seen = seen_at(one.at)
    if seen > FIRST + SEEN_AFTER:
        return seen, Presence.DatedBy.SEEN
    said = one.record.config.created if one.record.config else one.record.created
    return (said, Presence.DatedBy.CREATED) if said else (LONG_AGO, Presence.DatedBy.FOUND)
