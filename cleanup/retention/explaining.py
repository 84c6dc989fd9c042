"""Why one tag stays or goes: by the policy that decides, or by terms that nobody has kept yet."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from catalog.models import Repository
from cleanup.models import Policy
from cleanup.retention.in_words import in_general, in_words
from cleanup.retention.planning import judged, needs_yes
from cleanup.retention.reading import Book
from cleanup.retention.reasons import Verdict
from cleanup.retention.terms import Rule, Terms
from cleanup.retention.trust import why_left_out


@dataclass(frozen=True, slots=True)
class Explained:
    """`policy` is the name of the one that decides, "" of terms; `sentences` are all reasons, the strongest first."""

    policy: str
    verdict: Verdict
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What terms do in a repository now.

    `policy` is the name of the one that they are of, "" of terms that nobody has kept; `decides` that of the one that
    decides there, "" where none does; `why_not`: a sentence that says why nothing would be planned there, or "".
    """

    policy: str
    rules: tuple[Rule, ...]
    verdicts: tuple[Verdict, ...]
    decides: str
    why_not: str

    @property
    def kept(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if not verdict.is_doomed)

    @property
    def doomed(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict.is_doomed)

    @property
    def needs_yes(self) -> bool:
        return needs_yes(self.verdicts)

    def sentences(self, verdict: Verdict) -> tuple[str, ...]:
        """All that speaks for it, the strongest first."""
        return tuple(in_words(reason, self.rules) for reason in verdict.reasons)

    def in_general(self, verdict: Verdict) -> str:
        """The strongest, said of all tags like this one."""
        return in_general(verdict.reason, self.rules)


def explain(repository: Repository, tag: str, terms: Terms | None = None) -> Explained | None:
    """None where no policy decides, the repository is left out, or has no such tag. Raises InvalidTerms."""
    book = Book(repository.registry, timezone.now())
    if terms is not None:
        policy, verdicts = "", book.verdicts(repository, terms)
    elif (result := judged(book, repository)) is not None:
        policy, verdicts, terms = result.decides.policy.name, list(result.verdicts), result.decides.terms
    else:
        return None
    verdict = next((verdict for verdict in verdicts if verdict.tag == tag), None)
    if verdict is None:
        return None
    return Explained(policy, verdict, tuple(in_words(reason, terms.rules) for reason in verdict.reasons))


def try_out(repository: Repository, terms: Terms) -> Trial:
    """Whichever policy decides there. Raises InvalidTerms where one that is kept cannot be read."""
    return _tried(Book(repository.registry, timezone.now()), repository, "", terms)


def as_decided(repository: Repository) -> Trial | None:
    """By the policy that decides; None where none does. Raises InvalidTerms where one cannot be read."""
    book = Book(repository.registry, timezone.now())
    decides = book.decides(repository.name)
    return _tried(book, repository, decides.policy.name, decides.terms) if decides else None


def by_policy(repository: Repository, policy: Policy) -> Trial:
    """As if that one decided, also where it is off. Raises InvalidTerms where one cannot be read."""
    return _tried(Book(repository.registry, timezone.now()), repository, policy.name, policy.read())


def _tried(book: Book, repository: Repository, policy: str, terms: Terms) -> Trial:
    decides = book.decides(repository.name)
    verdicts = tuple(book.verdicts(repository, terms))
    name = decides.policy.name if decides else ""
    return Trial(policy, terms.rules, verdicts, name, why_left_out(repository))
