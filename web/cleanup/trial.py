"""What terms would do in a repository now, tag by tag, each with its reason: before anybody has kept them, and after.

Nothing is asked of a registry: it is what the catalog knows, judged by the same code as a run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from django.utils.translation import gettext

from catalog.models import Repository
from catalog.versions import tag_key
from cleanup.models import Policy
from cleanup.retention import explaining
from cleanup.retention.patterns import chosen
from cleanup.retention.reasons import Verdict
from cleanup.retention.terms import InvalidTerms, Terms
from registries.models import Registry
from web.cleanup.policy_form import PolicyForm
from web.cleanup.policy_words import RuleWords, rule_words

_MOST: Final = 20_000  # tags of a repository that is judged while somebody waits
_MOST_TYPED: Final = 5_000  # and of one that is judged at each pause of who types
_MOST_NAMES: Final = 5_000  # repositories that patterns are tried on
_SHOWN: Final = 50  # tags of each reason


@dataclass(frozen=True, slots=True)
class Group:
    """Tags that stay or go for one reason, a sentence of Berth in English; `tags` are the first."""

    sentence: str
    count: int
    tags: list[str]

    @property
    def unseen(self) -> int:
        return self.count - len(self.tags)


@dataclass(frozen=True, slots=True)
class OneTag:
    """The tag that was asked for, and all that speaks for it; `is_there`: the repository has it."""

    name: str
    is_there: bool = False
    is_kept: bool = False
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """`problem` says why there is nothing else; `policy` whose terms these are, "" of what is typed."""

    problem: str = ""
    repository: Repository | None = None
    policy: str = ""
    other: str = ""  # the policy that decides there as things are, where it is not this one
    why_not: str = ""
    needs_yes: bool = False
    one: OneTag | None = None
    kept: list[Group] = field(default_factory=list)
    doomed: list[Group] = field(default_factory=list)
    says: list[RuleWords] = field(default_factory=list)  # what is typed, in plain words

    @property
    def kept_count(self) -> int:
        return sum(group.count for group in self.kept)

    @property
    def doomed_count(self) -> int:
        return sum(group.count for group in self.doomed)


def trial_of_form(form: PolicyForm, policy: Policy | None, *, is_asked: bool) -> Trial:
    """By what is typed; `policy` is the one that is changed, `is_asked`: somebody has pressed the button."""
    if not form.data.get("repositories", "").strip():
        return Trial(problem=gettext("Name a repository to see which of its tags would go."))
    is_whole = form.is_valid()
    wrong = [str(error) for part in (form, *form.rules) for errors in part.errors.values() for error in errors]
    of_name = [str(error) for error in form.errors.get("name", ())]
    if not is_whole and (wrong := [text for text in dict.fromkeys(wrong) if text not in of_name]):
        return Trial(problem=" ".join(wrong))
    try:
        terms = Terms.read(form.document())
    except InvalidTerms as error:
        return Trial(problem=error.sentence)
    return replace(_of_terms(form, terms, policy, is_asked=is_asked), says=[rule_words(rule) for rule in terms.rules])


def trial_in(repository: Repository, tag: str, policy: Policy | None) -> Trial:
    """By `policy`, or by the one that decides."""
    try:
        return _told(repository, tag, policy)
    except InvalidTerms as error:
        return Trial(problem=gettext("A policy cannot be read: %(why)s") % {"why": error}, repository=repository)


def _of_terms(form: PolicyForm, terms: Terms, policy: Policy | None, *, is_asked: bool) -> Trial:
    said = form.cleaned_data
    repository = _repository(said["registry"], said["trial_repository"].strip(), terms.repositories)
    if repository is None:
        return Trial(problem=gettext("The catalog knows no such repository."))
    if repository.tag_count > _MOST_TYPED and not is_asked:
        return Trial(problem=gettext("It has many tags: press the button to have them judged."), repository=repository)
    try:
        return _told(repository, said["trial_tag"].strip(), terms, policy.name if policy else "")
    except InvalidTerms as error:
        return Trial(problem=gettext("A policy cannot be read: %(why)s") % {"why": error}, repository=repository)


def _told(repository: Repository, tag: str, by: Terms | Policy | None, own: str = "") -> Trial:
    """Raises InvalidTerms."""
    if repository.tag_count > _MOST:
        text = gettext("It has too many tags to judge while you wait: plan the policy, and look at the run.")
        return Trial(problem=text, repository=repository)
    if isinstance(by, Terms):
        found = explaining.try_out(repository, by)
    elif by is not None:
        found = explaining.by_policy(repository, by)
    elif (decided := explaining.as_decided(repository)) is not None:
        found = decided
    else:
        return Trial(problem=gettext("No policy decides on this repository: all its tags stay."), repository=repository)
    return Trial(
        repository=repository,
        policy=found.policy,
        other="" if found.decides in {"", own, found.policy} else found.decides,
        why_not=found.why_not,
        needs_yes=found.needs_yes,
        one=_one(found, tag) if tag else None,
        kept=_groups(found, found.kept),
        doomed=_groups(found, found.doomed),
    )


def _one(found: explaining.Trial, tag: str) -> OneTag:
    verdict = next((verdict for verdict in found.verdicts if verdict.tag == tag), None)
    if verdict is None:
        return OneTag(tag)
    return OneTag(tag, is_there=True, is_kept=not verdict.is_doomed, sentences=found.sentences(verdict))


def _groups(found: explaining.Trial, verdicts: Iterable[Verdict]) -> list[Group]:
    """By the strongest reason, that of most tags first; of the tags the highest versions first."""
    tags: dict[str, list[str]] = {}
    for verdict in verdicts:
        tags.setdefault(found.in_general(verdict), []).append(verdict.tag)
    ordered = sorted(tags.items(), key=lambda group: -len(group[1]))
    return [Group(sentence, len(some), sorted(some, key=tag_key, reverse=True)[:_SHOWN]) for sentence, some in ordered]


def _repository(registry: Registry, name: str, patterns: tuple[str, ...]) -> Repository | None:
    """The one that is named, whatever the patterns are; else the first that fits and has most tags."""
    rows = Repository.objects.live().filter(registry=registry).select_related("registry")
    if name:
        return rows.filter(name=name).first()
    names = rows.order_by("-tag_count", "pk").values_list("name", flat=True)[:_MOST_NAMES]
    fitting = next((one for one in names if chosen(patterns, one)), None)
    return rows.filter(name=fitting).first() if fitting else None
