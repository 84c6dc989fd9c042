"""What a rule that is being typed would take, of the tags of its source as they were listed last.

The network is asked only when a person presses the button, and then once: what it said is kept for five minutes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext

from catalog.models import Repository, Tag
from oci.client import RegistryClient
from oci.errors import InvalidName
from oci.names import RepositoryName, parse_repository, parse_tag
from registries.models import Registry
from registries.patterns import matches
from sync.choosing import NewestBy, Verdict, choose
from sync.details import Moved
from sync.models import Item, Rule, Run
from sync.naming import InvalidTemplate, backup_of, into
from sync.terms import InvalidTerms, Terms
from web.asking import ask
from web.sentences import said
from web.sync.rule_form import RuleForm
from web.sync.words import why

_MOST: Final = 20_000  # tags of the catalog
_MOST_ASKED: Final = 1_000  # tags of a registry
_MOST_PAGES: Final = 10
_MOST_NAMES: Final = 5_000  # repositories that a pattern is tried on
_SHOWN: Final = 50  # tags of each reason
_PATIENCE: Final = 5.0  # seconds for each question
_KEPT: Final = 300  # seconds
_OF_TAGS: Final = ("source", "repositories", "allow", "deny", "ranges", "newest", "newest_by")


@dataclass(frozen=True, slots=True)
class Group:
    """Tags that are in, or out, for one reason; `tags` are the first of them."""

    words: str
    detail: str
    count: int
    tags: list[str]

    @property
    def unseen(self) -> int:
        return self.count - len(self.tags)


@dataclass(frozen=True, slots=True)
class Trial:
    """`basis` says whose tags these are; `problem` why there are none; `can_ask`: the registry may know."""

    problem: str = ""
    can_ask: bool = False
    place: str = ""  # where the images of `repository` would stand
    backup: str = ""  # under which a tag that moves would be kept
    repository: str = ""
    basis: str = ""
    note: str = ""
    taken: list[Group] = field(default_factory=list)
    left: list[Group] = field(default_factory=list)

    @property
    def taken_count(self) -> int:
        return sum(group.count for group in self.taken)

    @property
    def left_count(self) -> int:
        return sum(group.count for group in self.left)


@dataclass(frozen=True, slots=True)
class _Listed:
    tags: Sequence[str]
    basis: str
    dates: dict[str, datetime] | None = None


def trial_of(form: RuleForm, rule: Rule | None, *, may_ask: bool) -> Trial:
    """Of the first of its repositories. `rule`: the one that is changed, whose last plan knows tags."""
    if not form.data.get("repositories", "").strip():
        return Trial(problem=gettext("Name a repository to see which of its tags are in."))
    wrong = [str(error) for name in _OF_TAGS for error in form.errors.get(name, ())]
    choice, said_here = form.choice, form.cleaned_data
    if wrong or choice is None:
        return Trial(problem=" ".join(wrong))
    source: Registry = said_here["source"]
    repository = _first(source, said_here["repositories"])
    if repository is None:
        return Trial(problem=gettext("None of these repositories is known here by its name."))
    trial = Trial(repository=f"{source.name}/{repository}", place=_place(form, repository))
    listed = _known(source, repository, rule)
    if listed is None and may_ask:
        listed, problem = _asked(source, repository)
        trial = replace(trial, problem=problem)
    if listed is None:
        return trial if trial.problem else replace(trial, can_ask=True)
    trial = replace(trial, backup=_backup(form, listed.tags))
    note, dates = "", listed.dates
    if choice.newest is not None and choice.newest_by is NewestBy.TIME and dates is None:
        note = gettext("When these images were made is read by the plan: until then all that fit are shown.")
        choice = replace(choice, newest=None)
    verdicts = choose(choice, listed.tags, dates)
    return replace(
        trial,
        basis=listed.basis,
        note=note,
        taken=_groups(verdict for verdict in verdicts if verdict.is_in),
        left=_groups(verdict for verdict in verdicts if not verdict.is_in),
    )


def _groups(verdicts: Iterable[Verdict]) -> list[Group]:
    """In the order of their first tags, the highest version first."""
    found: dict[tuple[str, str], list[str]] = {}
    for verdict in verdicts:
        found.setdefault((verdict.why, verdict.detail), []).append(verdict.tag)
    return [Group(why(code), detail, len(tags), tags[:_SHOWN]) for (code, detail), tags in found.items()]


def _first(source: Registry, texts: Iterable[str]) -> RepositoryName | None:
    """The first that is named; or that fits a pattern, where the catalog knows such a one."""
    patterns = []
    for text in texts:
        if "*" in text or "?" in text:
            patterns.append(text)
            continue
        try:
            return parse_repository(text)
        except InvalidName:
            continue
    if not patterns:
        return None
    names = Repository.objects.live().filter(registry=source).order_by("name_key").values_list("name", flat=True)
    fitting = (name for name in names[:_MOST_NAMES] if any(matches(pattern, name) for pattern in patterns))
    return next((parse_repository(name) for name in fitting), None)


def _place(form: RuleForm, repository: RepositoryName) -> str:
    said_here = form.cleaned_data
    if not {"target", "into"} <= said_here.keys():
        return ""
    try:
        return f"{said_here['target'].name}/{into(said_here['into'], repository, said_here['source'].name)}"
    except InvalidTemplate:
        return ""


def _backup(form: RuleForm, tags: Sequence[str]) -> str:
    """Of one of the tags, as an example; nothing where such tags are not kept."""
    said_here = form.cleaned_data
    if said_here.get("moved") != Moved.BACK_UP or "backup" not in said_here or not tags:
        return ""
    try:
        return backup_of(said_here["backup"], parse_tag(min(tags)), timezone.now())
    except (InvalidTemplate, InvalidName):
        return ""


def _known(source: Registry, repository: RepositoryName, rule: Rule | None) -> _Listed | None:
    """What is here already."""
    row = Repository.objects.live().filter(registry=source, name=repository).first()
    if row is not None:
        tags = Tag.objects.live().filter(repository=row).values_list("name", "presence__dated")
        dates = dict(tags[:_MOST])
        dated = {name: date for name, date in dates.items() if date is not None}
        return _Listed(list(dates), gettext("as the catalog has them"), dated)
    kept = cache.get(_key(source, repository))
    if kept is not None:
        return _Listed(kept, gettext("as the registry listed them just now"))
    return _planned(source, repository, rule) if rule is not None else None


def _planned(source: Registry, repository: RepositoryName, rule: Rule) -> _Listed | None:
    """Of the last plan of a rule for this repository alone; it names the first tags alone that it left out."""
    run = Run.objects.filter(rule=rule, source=source).exclude(state=Run.State.NEW).newest_first().first()
    try:
        is_whole = run is not None and Terms.read(run.terms).repositories == (str(repository),)
    except InvalidTerms:
        is_whole = False
    if run is None or not is_whole:
        return None
    taken = Item.objects.filter(run=run).exclude(source_tag="").values_list("source_tag", flat=True)[:_MOST]
    left = [tag for _, tags in run.left_out.values() for tag in tags]
    tags = [*taken, *left]
    return _Listed(tags, gettext("as its last plan knows them")) if tags else None


def _asked(source: Registry, repository: RepositoryName) -> tuple[_Listed | None, str]:
    found, problem = ask(source, lambda client: _first_tags(client, repository), _PATIENCE)
    if found is None:
        return None, said(problem)
    cache.set(_key(source, repository), found, _KEPT)
    return _Listed(found, gettext("as the registry listed them just now")), ""


def _first_tags(client: RegistryClient, repository: RepositoryName) -> list[str]:
    found: list[str] = []
    for number, page in enumerate(client.tags(repository), 1):
        found += map(str, page.names)
        if len(found) >= _MOST_ASKED or number >= _MOST_PAGES:
            break
    return found[:_MOST_ASKED]


def _key(source: Registry, repository: RepositoryName) -> str:
    return f"sync-tags:{source.pk}:{hashlib.sha256(repository.encode()).hexdigest()}"
