"""What a run is going to do, and why: both registries are asked by HEADs, and neither is changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple

from django.utils.translation import gettext_noop

from catalog.recording.chunks import by_number
from oci.client import RegistryClient
from oci.errors import BadAnswer, Denied, NotFound, Refused, RegistryError, Unauthorized
from oci.names import Digest, RepositoryName, TagName, parse_repository, parse_tag
from oci.transfer.heads import Head, head
from oci.transfer.sides import Side, at, side_of
from registries.patterns import matches
from sync.attachments import note_attachments
from sync.choosing import Choice, NewestBy, Verdict, choose
from sync.dates import dates_of
from sync.gone import to_delete, vanished
from sync.judging import Standing, judge
from sync.models import Item, Run, Synced
from sync.models.runs import ATTACHED
from sync.naming import InvalidTemplate, backup_of, into, pin_of
from sync.terms import Terms
from tagging.models import ProtectionRule
from tagging.protection import RuleBook

_THREADS: Final = 8
_NAMED: Final = 50  # tags that are left out, of each reason
_TOLD: Final = 500  # problems
_TOGETHER: Final = 250
_ABSENT: Final = gettext_noop("the source has no such repository, or does not show it")
_NOT_READ: Final = gettext_noop("it could not be read: %(why)s")
_NOT_READ_THERE: Final = gettext_noop("what the tag is at the target could not be read: %(why)s")
_GONE: Final = gettext_noop("it was listed, and is not there")
_TWICE: Final = gettext_noop("%(repository)s:%(tag)s comes from %(other)s already")
_NO_NAME: Final = gettext_noop("the target takes no repository of the name %(name)s")
_MORE: Final = gettext_noop("and %(n)s more")
SENTENCES: Final = (_ABSENT, _NOT_READ, _NOT_READ_THERE, _GONE, _TWICE, _NO_NAME, _MORE)


@dataclass(slots=True)
class Draft:
    """`left_out`: how many tags of each reason, and the first; `problems`: repositories, each with a sentence.

    `listed`: the repositories of the source whose tags were listed to their end, with these. `vanished`: what stands at
    the target and is gone from those.
    """

    items: list[Item] = field(default_factory=list)
    left_out: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)
    listed: dict[RepositoryName, frozenset[str]] = field(default_factory=dict)
    vanished: list[Synced] = field(default_factory=list)
    untold: int = 0  # problems beyond those

    def trouble(self, what: str, why: str) -> None:
        if len(self.problems) < _TOLD:
            self.problems.append((what, why))
        else:
            self.untold += 1


class _Wanted(NamedTuple):
    """One tag or digest of the source that is to stand somewhere."""

    repository: RepositoryName
    asked: TagName | Digest
    tag: TagName | None  # under which it is to stand
    why: str
    detail: str
    target: RepositoryName


class Planning:
    """`tell` hears how many tags were looked at of how many, and may raise to end it."""

    def __init__(
        self, run: Run, source: RegistryClient, target: RegistryClient, tell: Callable[[int, int], None]
    ) -> None:
        self._run, self._source, self._target, self._tell = run, source, target, tell
        self._terms = Terms.read(run.terms)
        self._draft = Draft()
        self._refusal: Refused | None = None
        self._to_do = {Item.Act.COPY, Item.Act.KEEP} if run.is_deep else {Item.Act.COPY}
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="planning")

    def draft(self, now: datetime) -> Draft:
        """Raises RegistryError where a registry does not answer, or lets nobody in; InvalidName."""
        with self._pool:
            try:
                wanted = self._once(self._all_wanted())
                self._judge_all(wanted, now)
                stays = {(one.target, one.tag) for one in wanted}  # a pin, or what comes from elsewhere now
                gone = vanished(self._run, self._draft.listed)
                self._draft.vanished = [row for row in gone if (row.repository, row.tag) not in stays]
                self._draft.items += to_delete(self._run, self._terms, self._draft.vanished)
            except BaseException:
                self._pool.shutdown(cancel_futures=True)
                raise
        if self._draft.untold:
            self._draft.problems.append(("…", _MORE % {"n": f"{self._draft.untold:,}"}))
        return self._draft

    def _all_wanted(self) -> list[_Wanted]:
        wanted = [one for name in self._repositories() for one in self._wanted(name)]
        if self._refusal and not self._draft.listed and not wanted:
            raise self._refusal
        return wanted

    def _repositories(self) -> list[RepositoryName]:
        """As they are named; of patterns those that fit. Each once, in their order."""
        names: dict[RepositoryName, None] = {}
        patterns = [text for text in self._terms.repositories if "*" in text or "?" in text]
        for text in self._terms.repositories:
            if text not in patterns:
                names[parse_repository(text)] = None
        if patterns:
            with at(Side.SOURCE):
                listed = [name for page in self._source.repositories() for name in page.names]
            names |= dict.fromkeys(n for n in listed if any(matches(pattern, n) for pattern in patterns))
        return list(names)

    def _wanted(self, repository: RepositoryName) -> Iterable[_Wanted]:
        try:
            target = into(self._terms.into, repository, self._run.source.name)
        except InvalidTemplate as error:
            self._draft.trouble(str(repository), _NO_NAME % {"name": error.text})
            return
        pins = [pin_of(text) for text in self._terms.pins]
        for tag, digest in pins:
            yield _Wanted(repository, digest, tag, "pinned", "", target)
        pinned = {tag for tag, _ in pins}
        if pins and self._terms.choice == Choice():
            return  # digests were named, and nothing else
        for verdict in self._verdicts(repository):
            if not verdict.is_in:
                count, some = self._draft.left_out.get(verdict.why, (0, []))
                self._draft.left_out[verdict.why] = count + 1, [*some, verdict.tag][:_NAMED]
            elif verdict.tag not in pinned:
                tag = parse_tag(verdict.tag)
                yield _Wanted(repository, tag, tag, verdict.why, verdict.detail, target)

    def _verdicts(self, repository: RepositoryName) -> Sequence[Verdict]:
        choice = self._terms.choice
        try:
            with at(Side.SOURCE):
                tags = [tag for page in self._source.tags(repository) for tag in page.names]
        except NotFound:
            self._draft.trouble(str(repository), _ABSENT)
            return ()
        except (Unauthorized, Denied) as refusal:  # Docker Hub says so of what is not there
            self._refusal = refusal
            self._draft.trouble(str(repository), _NOT_READ % {"why": refusal})
            return ()
        self._draft.listed[repository] = frozenset(map(str, tags))
        if choice.newest is None or choice.newest_by is NewestBy.VERSION:
            return choose(choice, map(str, tags))
        fitting = [verdict.tag for verdict in choose(replace(choice, newest=None), map(str, tags)) if verdict.is_in]
        with at(Side.SOURCE):
            dates = dates_of(self._source, repository, [parse_tag(tag) for tag in fitting], self._pool)
        return choose(choice, map(str, tags), dates)

    def _once(self, wanted: Iterable[_Wanted]) -> list[_Wanted]:
        """Each tag of the target from one place; whoever comes second is told."""
        first: dict[tuple[str, str], _Wanted] = {}
        for one in wanted:
            other = first.setdefault((one.target, str(one.tag or one.asked)), one)
            if other is not one:
                said = {"repository": one.target, "tag": one.tag or "", "other": other.repository}
                self._draft.trouble(str(one.repository), _TWICE % said)
        return list(first.values())

    def _judge_all(self, wanted: Sequence[_Wanted], now: datetime) -> None:
        heads = self._pool.map(self._look, wanted)
        standing = _Known(self._run, self._terms, wanted)
        for number, (one, (source, target)) in enumerate(zip(wanted, heads, strict=True)):
            self._tell(number, len(wanted))
            if isinstance(source, RegistryError):
                sentence = _NOT_READ_THERE if side_of(source) is Side.TARGET else _NOT_READ
                self._draft.trouble(f"{one.repository}:{one.asked}", sentence % {"why": source})
                continue
            if source is None:
                self._draft.trouble(f"{one.repository}:{one.asked}", _GONE)
                continue
            self._draft.items.append(self._item(one, source, target, standing, now))
        if self._terms.attached:
            self._look_at_attachments(standing)

    def _look_at_attachments(self, known: _Known) -> None:
        """An image that is there, but not what has been attached to it since, is looked after once more."""
        tagged = [item for item in self._draft.items if item.tag and item.act != Item.Act.LEAVE]
        note_attachments(self._source, tagged, self._draft.listed, self._terms.attached, self._pool)
        for item in tagged:
            row = known.synced.get((item.repository, item.tag))
            if item.act == Item.Act.KEEP and item.attachments and (not row or row.attachments != item.attachments):
                item.act, item.state, item.why = Item.Act.COPY, Item.State.PLANNED, ATTACHED

    def _look(self, one: _Wanted) -> tuple[Head | RegistryError | None, Head | None]:
        """A tag that cannot be read is a problem of its own, if others can be."""
        try:
            with at(Side.SOURCE):
                source = head(self._source, one.repository, one.asked)
            with at(Side.TARGET):
                return source, head(self._target, one.target, one.tag or one.asked)
        except BadAnswer as error:
            return error, None

    def _item(self, one: _Wanted, source: Head, target: Head | None, known: _Known, now: datetime) -> Item:
        before = str(target.digest) if target else ""
        row = known.synced.get((one.target, str(one.tag or "")))
        judgement = judge(known.standing(str(source.digest), before, row), self._terms.moved, known.protected(one))
        return Item(
            act=judgement.act,
            source_repository=one.repository,
            source_tag=one.tag or "",
            digest=str(source.digest),
            repository=one.target,
            tag=one.tag or "",
            before=before,
            backup=backup_of(self._terms.backup, one.tag, now) if judgement.backs_up and one.tag else "",
            why=one.why,
            detail=one.detail[:255],
            state=Item.State.PLANNED if judgement.act in self._to_do else Item.State.SKIPPED,
            note=judgement.note,
        )


class _Known:
    """What was copied before, and which tags are protected, of all that is wanted: a query for some hundreds."""

    def __init__(self, run: Run, terms: Terms, wanted: Sequence[_Wanted]) -> None:
        self._key = terms.selection.key
        book = RuleBook(ProtectionRule.objects.of(run.target))
        tags: defaultdict[str, list[str]] = defaultdict(list)
        for one in wanted:
            if one.tag:
                tags[one.target].append(one.tag)
        self._protected = {name: book.reasons(name, of_it) for name, of_it in tags.items()}
        self.synced: dict[tuple[str, str], Synced] = {}
        for some in by_number(((one.target, one.tag) for one in wanted if one.tag), _TOGETHER):
            self.synced |= {(row.repository, row.tag): row for row in Synced.objects.of_tags(run.target, some)}

    def standing(self, source: str, target: str, row: Synced | None) -> Standing:
        same_form = row is not None and row.form == self._key
        upstream, put = (row.upstream, row.digest) if row and same_form else ("", "")
        return Standing(source, target, upstream, put, is_plain=not self._key)

    def protected(self, one: _Wanted) -> str:
        reasons: Mapping[str, str] = self._protected.get(one.target, {})
        return reasons.get(str(one.tag), "")
