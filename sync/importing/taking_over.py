"""What a file of another tool would add here, and adding it: rules, switched off, and the sources that they need."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from registries import services
from registries.addresses import WrongAddress, free_name, name_from, normal_address
from registries.details import Details as RegistryDetails
from registries.details import RegistryNotSaved
from registries.limits import Limits
from registries.models import NAME_LENGTH as REGISTRY_NAME_LENGTH
from registries.models import Registry
from registries.presets import ANY, preset_at
from sync.details import Details
from sync.importing.imported import Imported, Remark, Source
from sync.importing.matching import is_lowered, meant, of_scheme
from sync.models import Rule
from sync.models.rules import NAME_LENGTH
from sync.rules import RESERVED_NAMES, RuleNotSaved, check_said, save
from sync.terms import Terms
from tagging.permission import NotPermitted

if TYPE_CHECKING:
    from access.models import User

MOST_RULES: Final = 500
MOST_SOURCES: Final = 50

_OF_A_RULE: Final = ("name", "source__name", "target__name", "terms")


class NotTakenOver(Exception):  # noqa: N818  it says what did not happen
    """Nothing of the file can be; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """A registry that rules copy from: `name` is what it is called here, or would be, `registry` is None until then."""

    source: Source
    url: str
    name: str
    registry: Registry | None = None
    problem: str = ""

    @property
    def is_new(self) -> bool:
        return self.registry is None and not self.problem


@dataclass(frozen=True, slots=True)
class Coming:
    """A rule: its source and target are names of registries here. It cannot be kept where there is a `problem`.

    `there` is the name of a rule that says the very same: a file that is taken over twice adds nothing twice.
    """

    details: Details
    problem: str = ""
    there: str = ""


@dataclass(frozen=True, slots=True)
class TakingOver:
    sources: tuple[Place, ...]
    rules: tuple[Coming, ...]
    remarks: tuple[Remark, ...]

    @property
    def fitting(self) -> Sequence[Coming]:
        return [rule for rule in self.rules if not rule.problem and not rule.there]

    @property
    def new_sources(self) -> Sequence[Place]:
        """Those that are added: a rule that can be kept copies from each."""
        used = {rule.details.source for rule in self.fitting}
        return [place for place in self.sources if place.is_new and place.name in used]

    @property
    def has_passwords(self) -> bool:
        return any(place.source.has_password for place in self.new_sources)


@dataclass(slots=True)
class Taken:
    """What came of it; `failed`: what was not added, and why."""

    sources: list[Registry] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


def look_at(imported: Imported, target: Registry | None = None) -> TakingOver:
    """Nothing is changed. `target` is one of ours, for rules into what is none of ours, or is not said.

    Raises NotTakenOver.
    """
    if not imported.details:
        raise NotTakenOver(_("No rule comes of it."))
    hosts = dict.fromkeys(details.source for details in imported.details)
    if len(imported.details) > MOST_RULES or len(hosts) > MOST_SOURCES:
        raise NotTakenOver(_("It has more rules or sources than can be taken over at once: divide it."))
    known = list(Registry.objects.connected().order_by("role", "name"))  # ours first
    sources = {source.host: source for source in imported.sources}
    places = dict(zip(hosts, _places([sources[host] for host in hosts], known), strict=True))
    catalogs = [registry for registry in known if registry.role == Registry.Role.CATALOG]
    targets = {
        said.target: meant(sources[said.target], catalogs) for said in imported.details if said.target in sources
    }
    rules = tuple(_rules(imported, places, targets, target))
    found = dict.fromkeys([*((host, place.registry) for host, place in places.items()), *targets.items()])
    remarks = (of_scheme(sources[host], registry) for host, registry in found if registry)
    return TakingOver(tuple(places.values()), rules, (*imported.remarks, *filter(None, remarks)))


def take_over(coming: TakingOver, person: User | None, *, with_passwords: bool) -> Taken:
    """Each by itself: what is in the way of one is in the way of no other. `person` is None on the command line.

    Credentials of the file go to new sources alone, and only where somebody said so.
    """
    taken, missing = Taken(), {}
    for place in coming.new_sources:
        try:
            taken.sources.append(services.add(_of_source(place, with_passwords=with_passwords), by=person))
        except RegistryNotSaved as error:
            missing[place.name] = str(error)
            taken.failed.append((place.name, str(error)))
    for rule in coming.fitting:
        if rule.details.source in missing:
            taken.failed.append((rule.details.name, missing[rule.details.source]))
            continue
        try:
            taken.rules.append(save(rule.details, person))
        except (RuleNotSaved, NotPermitted) as error:
            taken.failed.append((rule.details.name, str(error)))
    taken.failed += [(rule.details.name, rule.problem) for rule in coming.rules if rule.problem]
    return taken


def _places(sources: Sequence[Source], known: Sequence[Registry]) -> Iterator[Place]:
    taken: set[str] = set()
    for source in sources:
        try:
            url = normal_address(source.url, plain_http=True)
        except WrongAddress as error:
            yield Place(source, source.url, source.host, problem=str(error))
            continue
        registry = meant(source, known)
        if registry is not None and not is_lowered(source, registry):
            yield Place(source, registry.url, registry.name, registry)
            continue
        preset = preset_at(source.host)
        name = _unlike(free_name(preset.key if preset else name_from(url)), taken)
        taken.add(name)
        yield Place(source, url, name)


def _unlike(name: str, taken: set[str]) -> str:
    suffixes = chain([""], (f"-{number}" for number in count(2)))
    candidates = (name[: REGISTRY_NAME_LENGTH - len(suffix)].rstrip("-") + suffix for suffix in suffixes)
    return next(candidate for candidate in candidates if candidate not in taken)


def _rules(
    imported: Imported, places: Mapping[str, Place], targets: Mapping[str, Registry | None], target: Registry | None
) -> Iterator[Coming]:
    taken = RESERVED_NAMES.union(Rule.objects.values_list("name", flat=True))
    known = {_key(terms, source, into): name for name, source, into, terms in Rule.objects.values_list(*_OF_A_RULE)}
    sources = {source.host: source for source in imported.sources}
    for said in imported.details:
        into = targets.get(said.target)
        lowered = into if into is not None and is_lowered(sources[said.target], into) else None
        into = target if into is None or lowered is not None else into
        place = places[said.source]
        named = replace(said, source=place.name, target=into.name if into else said.target, is_on=False)
        if there := known.get(_key(Terms.of(named).written(), named.source, named.target)):
            yield Coming(named, there=there)
            continue
        named = replace(named, name=_free(said.name, taken))
        taken = taken | {named.name}
        problem = place.problem or _problem(named, into, lowered)
        yield Coming(named, problem)


def _key(terms: object, source: str, target: str) -> str:
    return json.dumps([source, target, terms], sort_keys=True)


def _problem(details: Details, into: Registry | None, lowered: Registry | None) -> str:
    """`lowered`: what the file means as its target, though it says TLS of it, which this is asked without."""
    if into is None and lowered is not None:
        said = {"host": details.target, "name": lowered.name}
        return _("The file says TLS of %(host)s, and %(name)s is asked without: say into which of ours it goes.") % said
    if into is None:
        return _("%(host)s is none of ours: say into which of ours it goes.") % {"host": details.target}
    try:
        check_said(details)
    except RuleNotSaved as error:
        return str(error)
    return ""


def _free(name: str, taken: frozenset[str]) -> str:
    suffixes = chain([""], (f"-{number}" for number in count(2)))
    candidates = (name[: NAME_LENGTH - len(suffix)].rstrip("-") + suffix for suffix in suffixes)
    return next(candidate for candidate in candidates if candidate not in taken)


def _of_source(place: Place, *, with_passwords: bool) -> RegistryDetails:
    """With the limits of the file, and of the well-known service where it says none."""
    source, preset = place.source, preset_at(place.source.host) or ANY
    usual = preset.limits
    return RegistryDetails(
        url=place.url,
        name=place.name,
        username=source.username if with_passwords else "",
        password=source.password if with_passwords else None,
        plain_http=source.plain_http,
        role=Registry.Role.SOURCE,
        preset=preset.key if preset.url == place.url else ANY.key,
        limits=Limits(
            at_once=usual.at_once if source.at_once is None else source.at_once,
            requests_per_second=(
                usual.requests_per_second if source.requests_per_second is None else source.requests_per_second
            ),
            quota_floor=usual.quota_floor if source.quota_floor is None else source.quota_floor,
        ),
    )
