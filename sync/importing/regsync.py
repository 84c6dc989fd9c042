"""The configuration of regsync (regclient.org, "regsync"), version 1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from jobs.schedule import Schedule
from oci.errors import InvalidName
from oci.names import Reference, parse_tag
from oci.transfer.attached import ALL_KINDS
from oci.transfer.selection import Form, Selection
from registries.patterns import PATTERN
from sync.choosing import Choice
from sync.details import Details, Moved
from sync.importing.document import Expected, Field, parse_document
from sync.importing.expressions import anchored, as_glob, has_alternatives
from sync.importing.imported import TEMPLATE, Code, Collected, Imported, host_of, reference_of
from sync.importing.regsync_creds import read_creds
from sync.importing.semver import with_ranges
from sync.importing.times import schedule_of

_NEWEST_VERSION: Final = 1
_FOLDERS: Final = ("ocidir://", "ocifile://")
_PLATFORM: Final = re.compile(r"[a-z0-9]{1,30}/[a-z0-9_]{1,30}(?:/[a-z0-9._]{1,30})?", re.ASCII)
_ALL: Final = "{repository}"

_OF_BOTH: Final = frozenset({"backup", "interval", "schedule", "ratelimit", "digestTags", "referrers"})
_OF_ENTRY: Final = _OF_BOTH | {"source", "target", "type", "tags", "tagSets", "repos", "platform", "platforms"}
_CODES: Final = {
    **dict.fromkeys(("parallel", "fastCheck", "referrerSlow", "blobLimit", "retry"), Code.NOT_NEEDED),
    **dict.fromkeys(("cacheCount", "cacheTime", "skipDockerConfig", "userAgent"), Code.NOT_NEEDED),
    **dict.fromkeys(("referrerFilters", "referrerSource", "referrerTarget", "hooks"), Code.NOT_HERE),
    **dict.fromkeys(("mediaTypes", "forceRecursive", "includeExternal"), Code.NOT_HERE),
}

# What backup templates are made of: the tag, and times in the notation of Go.
_TAG: Final = re.compile(r"\{\{-?\s*\.Ref\.Tag\s*-?\}\}")
_TIME: Final = re.compile(r"\{\{-?\s*time\.Now(?:\.UTC)?\.Format\s+[\"`']([0-9-]+)[\"`']\s*-?\}\}")
_TIMES: Final = {"20060102": "{date}", "2006-01-02": "{date}", "150405": "{time}", "20060102150405": "{date}{time}"}


def read_regsync(text: str, zone: str = "UTC") -> Imported:
    """`zone` is that of the machine on which regsync runs: its cron lines mean that. Raises NotImported."""
    root = parse_document(text).mapping()
    collected = Collected()
    collected.look_over(root, {"version", "creds", "defaults", "sync"}, {})
    if (version := root.get("version")) and version.number() > _NEWEST_VERSION:
        raise version.wrong(Expected.VERSION)
    for cred in root["creds"].items() if "creds" in root else ():
        read_creds(collected, cred)
    defaults = root["defaults"].mapping() if "defaults" in root else {}
    collected.look_over(defaults, _OF_BOTH, _CODES)
    collected.look_over(_limits(defaults), {"min"}, _CODES)
    for entry in root["sync"].items() if "sync" in root else ():
        _Entry(collected, entry, defaults, zone).read()
    return collected.imported()


@dataclass(frozen=True, slots=True)
class _Entry:
    collected: Collected
    at: Field
    defaults: Mapping[str, Field]
    zone: str

    def read(self) -> None:
        own = self.at.mapping()
        self.collected.look_over(own, _OF_ENTRY, _CODES)
        self.collected.look_over(_limits(own), {"min"}, _CODES)
        source, target = (own.get(name, self.at) for name in ("source", "target"))
        for end in (source, target):
            if TEMPLATE in end.text():
                return self.collected.remark(end, Code.NAME_IN_TEMPLATE, end.text())
            if end.text().startswith(_FOLDERS):
                return self.collected.remark(end, Code.NO_REGISTRY, end.text())
        match own["type"].text() if "type" in own else "":
            case "image":
                found = self._image(source, target)
            case "repository":
                found = self._repository(own, source, target)
            case "registry":
                found = self._registry(own, source, target)
            case _:
                raise own.get("type", self.at).wrong(Expected.TYPE)
        for details in found:
            self.collected.add(self.at, details)
        return None

    def _image(self, source: Field, target: Field) -> Iterator[Details]:
        one, other = reference_of(source, source.text()), reference_of(target, target.text())
        details = self._common(one.registry, (one.repository,), other.registry, other.repository)
        if one.digest is not None:
            pin = f"{other.tag}@{one.digest}" if other.tag else str(one.digest)
            yield replace(details, pins=(pin,), choice=Choice(deny=("*",)))
        elif one.tag is None or one.tag != other.tag or other.digest is not None:
            self.collected.remark(target, Code.RETAGGED, other.familiar)
        else:
            yield replace(details, choice=Choice(allow=(one.tag,)))

    def _repository(self, own: Mapping[str, Field], source: Field, target: Field) -> Iterator[Details]:
        one, other = _repository_of(source), _repository_of(target)
        details = self._common(one.registry, (one.repository,), other.registry, other.repository)
        return self._for_each_set(own, details)

    def _registry(self, own: Mapping[str, Field], source: Field, target: Field) -> Iterator[Details]:
        patterns: list[str] = []
        repos = own["repos"].mapping() if "repos" in own else {}
        for expression in repos["allow"].items() if "allow" in repos else ():
            if (glob := as_glob(expression.text())) is None or not re.fullmatch(PATTERN, glob):
                self.collected.remark(expression, Code.REPOSITORIES, expression.text())
                return
            patterns.append(glob)
        if "deny" in repos and repos["deny"].items():
            self.collected.remark(repos["deny"], Code.REPOSITORIES)
            return
        self.collected.remark(source, Code.LISTED)
        host, other = host_of(source, source.text()), host_of(target, target.text())
        yield from self._for_each_set(own, self._common(host, tuple(patterns) or ("*",), other, _ALL))

    def _for_each_set(self, own: Mapping[str, Field], details: Details) -> Iterator[Details]:
        """Sets are alternatives, and so are rules."""
        sets = list(own["tagSets"].items()) if "tagSets" in own else []
        if "tags" in own and own["tags"].mapping():
            sets.insert(0, own["tags"])
        if len(sets) > 1:
            self.collected.remark(own["tagSets"], Code.SPLIT, str(len(sets)))
        for one in sets:
            yield replace(details, choice=self._choice(one))
        if not sets:
            yield details

    def _choice(self, at: Field) -> Choice:
        tags = at.mapping()
        self.collected.look_over(tags, {"allow", "deny", "semverRange"}, {})
        allow, deny = (self._patterns(tags, name) for name in ("allow", "deny"))
        choice = Choice(allow=allow, deny=deny)
        ranges = [one for one in tags["semverRange"].items() if one.text()] if "semverRange" in tags else []
        return with_ranges(self.collected, choice, ranges)

    def _patterns(self, tags: Mapping[str, Field], name: str) -> tuple[str, ...]:
        expressions = tags[name].items() if name in tags else ()
        for expression in expressions:
            if has_alternatives(expression.text()):
                self.collected.remark(expression, Code.HALF_ANCHORED, expression.text())
        return tuple(anchored(expression.text()) for expression in expressions)

    def _common(self, source: str, repositories: tuple[str, ...], target: str, into: str) -> Details:
        """All that is said alike for every type."""
        own = self.at.mapping()
        self.collected.source(own["target"], target)
        self._keep_floor(own, source)
        details = Details(
            name="",
            source=source,
            repositories=repositories,
            target=target,
            into=into,
            selection=self._selection(own),
            attached=ALL_KINDS if self._attached(own) else frozenset(),
            schedule=self._schedule(own),
        )
        return self._with_backup(details, own)

    def _selection(self, own: Mapping[str, Field]) -> Selection:
        if "platform" in own:
            return Selection(platforms=(_platform_of(own["platform"]),), form=Form.CHILD)
        wanted = own["platforms"].items() if "platforms" in own else ()
        names = tuple(_platform_of(at) for at in wanted if at.text())  # "" is what has none, which goes along anyway
        if not names:
            return Selection()
        self.collected.remark(own["platforms"], Code.SPARSE)
        return Selection(platforms=names, form=Form.SPARSE)

    def _attached(self, own: Mapping[str, Field]) -> bool:
        said = {name: at for name in ("referrers", "digestTags") if (at := own.get(name) or self.defaults.get(name))}
        wanted = [name for name, at in said.items() if at.flag()]
        if len(wanted) == 1:
            self.collected.remark(said[wanted[0]], Code.ATTACHED)
        return bool(wanted)

    def _with_backup(self, details: Details, own: Mapping[str, Field]) -> Details:
        at = next((said["backup"] for said in (own, self.defaults) if "backup" in said and said["backup"].text()), None)
        if at is None:
            return details
        text = _TIME.sub(lambda match: _TIMES.get(match[1], match[0]), _TAG.sub("{tag}", at.text()))
        try:
            parse_tag(text.replace("{tag}", "a").replace("{date}", "20250101").replace("{time}", "000000"))
        except InvalidName:
            self.collected.remark(at, Code.BACKUP, at.text())
            return replace(details, moved=Moved.BACK_UP)
        return replace(details, moved=Moved.BACK_UP, backup=text)

    def _schedule(self, own: Mapping[str, Field]) -> Schedule:
        for said in (own, self.defaults):
            for name in ("schedule", "interval"):
                if name in said and said[name].text() not in {"", "0"}:
                    return schedule_of(self.collected, said[name], self.zone, is_cron=name == "schedule")
        return Schedule()

    def _keep_floor(self, own: Mapping[str, Field], host: str) -> None:
        limits = [_limits(said)["min"] for said in (own, self.defaults) if "min" in _limits(said)]
        at = next((limit for limit in limits if limit.number()), None)
        if at is None:
            return
        least = int(at.number())
        source = self.collected.source(at, host)
        if source.quota_floor not in {None, least}:
            self.collected.remark(at, Code.PER_SOURCE, str(least))
        self.collected.keep(replace(source, quota_floor=max(least, source.quota_floor or 0)))


def _limits(said: Mapping[str, Field]) -> Mapping[str, Field]:
    return said["ratelimit"].mapping() if "ratelimit" in said else {}


def _platform_of(at: Field) -> str:
    if not _PLATFORM.fullmatch(at.text()):
        raise at.wrong(Expected.PLATFORM)
    return at.text()


def _repository_of(at: Field) -> Reference:
    """Without a tag: with one, this is none."""
    return reference_of(at, f"{at.text()}:latest")
