"""Why one tag stays or goes: by the policy that decides, or by terms that nobody has kept yet."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from catalog.models import Repository
from cleanup.retention.in_words import in_words
from cleanup.retention.planning import judged, needs_yes
from cleanup.retention.reading import Book
from cleanup.retention.reasons import Verdict
from cleanup.retention.terms import Terms


@dataclass(frozen=True, slots=True)
class Explained:
    """`policy` is the name of the one that decides, "" of terms; `sentences` are all reasons, the strongest first."""

    policy: str
    verdict: Verdict
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What terms would do in a repository now."""

    kept: tuple[Verdict, ...]
    doomed: tuple[Verdict, ...]
    needs_yes: bool


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
    verdicts = Book(repository.registry, timezone.now()).verdicts(repository, terms)
    doomed = tuple(verdict for verdict in verdicts if verdict.is_doomed)
    return Trial(tuple(verdict for verdict in verdicts if not verdict.is_doomed), doomed, needs_yes(verdicts))
