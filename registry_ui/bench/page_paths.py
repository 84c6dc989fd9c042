"""Which pages are measured: of each kind many, another repository each time; all that a bench knows of their addresses.

`python -m registry_ui.bench.page_paths NUMBER` prints `NUMBER` paths of each kind as JSON. A new kind of page is a line
in `KINDS`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from string import ascii_lowercase
from typing import Final
from urllib.parse import urlencode

import django

if __name__ == "__main__":
    django.setup()

from django.db.models import Model

from catalog.reads.entries import token_to
from catalog.reads.keyset import Column, Order, token_after
from catalog.reads.repositories import COLUMNS
from catalog.reads.storage import IMAGES, REPEATED, REPOSITORIES
from registry_ui.bench import cleanup_paths
from registry_ui.bench.page_samples import Sample, samples_of
from web import trash_page
from web.views import repository, sync_rules, sync_runs

_DEEP: Final = 3  # of four pages of a list that is not its first
_WORDS: Final = ("api", "led", "worker-1", "team-", "9", "exporter", "nothing-has-this-name")
_ACTS: Final = ("", "pull", "pushes", "moves", "deletes", "mount", "change", "gap", "breaches")
_TAG_WORDS: Final = ("1.", "latest", "-rc", "sha-4", "pr-1", "2.3", "alpine", "nothing")


def _all(sample: Sample) -> str:
    return "/" + _list(sample, COLUMNS, sample.repository)


def _of_registry(sample: Sample) -> str:
    return _registry(sample) + _list(sample, COLUMNS, sample.repository)


def _of_namespace(sample: Sample) -> str:
    return f"{_registry(sample)}?{urlencode({'ns': sample.repository.namespace})}"


def _search(sample: Sample) -> str:
    words = (*_WORDS, sample.repository.base_name, sample.repository.name[:6])
    return "/?" + urlencode({"q": words[sample.number % len(words)], "sort": _sort(sample, COLUMNS)})


def _with_problems(sample: Sample) -> str:
    return f"{_registry(sample)}?{urlencode({'state': 'problems', 'sort': _sort(sample, COLUMNS)})}"


def _page(sample: Sample) -> str:
    return sample.repository.get_absolute_url()


def _sorted_page(sample: Sample) -> str:
    return f"{_page(sample)}?{urlencode({'sort': _sort(sample, repository.COLUMNS)})}"


def _wide(sample: Sample) -> str:
    return sample.wide.get_absolute_url() + _list(sample, repository.COLUMNS, sample.wide_image)


def _tag_search(sample: Sample) -> str:
    return f"{_page(sample)}?{urlencode({'q': _TAG_WORDS[sample.number % len(_TAG_WORDS)]})}"


def _wide_search(sample: Sample) -> str:
    begin = sample.chance.randrange(max(1, len(sample.wide_tag.name) - 4))
    word = sample.wide_tag.name[begin : begin + 2 + sample.number % 5]
    return f"{sample.wide.get_absolute_url()}?{urlencode({'q': word})}"


def _gone(sample: Sample) -> str:
    return f"{sample.lost.get_absolute_url()}/-/gone-tags"


def _image(sample: Sample) -> str:
    return sample.tag.get_absolute_url()


def _wide_tag(sample: Sample) -> str:
    return sample.wide_tag.get_absolute_url()


def _digest(sample: Sample) -> str:
    presence = sample.tag.presence
    return f"{_page(sample)}/-/manifests/{presence.manifest.digest}" if presence else _page(sample)


def _index(sample: Sample) -> str:
    index = sample.index
    asked = {"platform": "linux/arm64/v8"} if sample.number % 2 else {}
    return f"{index.repository.get_absolute_url()}/-/tags/{index.lead_tag}?{urlencode(asked)}"


def _registry_page(sample: Sample) -> str:
    name, parent = sample.repository.registry.name, sample.repository.namespace.partition("/")[0]
    return f"/registries/{name}?{urlencode({'ns': parent} if sample.number % 2 else {'sort': 'unique'})}"


def _scan(sample: Sample) -> str:
    return f"/registries/{sample.scan.registry.name}/scans/{sample.scan.pk}"


def _searching(text: Callable[[Sample], str]) -> Callable[[Sample], str]:
    """The page that searches everything for what a person types."""
    return lambda sample: "/search?" + urlencode({"q": text(sample)})


def _pair(sample: Sample) -> str:
    """Two letters: some that many tags have, most that hardly any has."""
    return "".join(sample.chance.choices(ascii_lowercase, k=2))


def _hex(sample: Sample) -> str:
    presence = sample.tag.presence
    return presence.manifest.digest.partition(":")[2][: 6 + sample.number % 10] if presence else "abcdef"


def _pattern(sample: Sample) -> str:
    return f"*/{sample.repository.base_name[:5]}*:{sample.tag.name[:2]}*"


def _pull(sample: Sample) -> str:
    return f"docker pull {sample.repository.registry.pull_host}/{sample.repository.name}:{sample.tag.name}"


def _older(path: str, columns: dict[str, Column], sample: Sample, row: Model) -> str:
    """The first page, or the one that begins after `row`."""
    if not sample.number % (_DEEP + 1):
        return path
    return f"{path}?{urlencode({'page': token_after(row, Order.parse(None, columns))})}"


def _activity(sample: Sample, **narrowed: str) -> str:
    """The first page of what the filter leaves, or the one that begins after some entry."""
    asked = dict(narrowed)
    if sample.number % (_DEEP + 1):
        asked["page"] = token_to(sample.told.pk)
    return f"/activity?{urlencode(asked)}"


def _day(sample: Sample) -> dict[str, str]:
    day = sample.told.at.date()
    return {"from": day.isoformat(), "to": (day + timedelta(days=sample.number % 9)).isoformat()}


def _of_entry(sample: Sample) -> str:
    """What asks for the acts on one tag."""
    entry = sample.entry
    return urlencode({"registry": entry.registry, "repository": entry.repository, "tag": entry.tag})


def _storage(sample: Sample) -> str:
    return f"/storage/{sample.repository.registry.name}"


def _storage_of_repositories(sample: Sample) -> str:
    """Of a registry, or of a namespace in it."""
    asked = {"namespace": sample.repository.namespace} if sample.number % 3 == 0 else {}
    asked["sort"] = sort = _sort(sample, REPOSITORIES)
    if sample.number % (_DEEP + 1):
        asked["page"] = token_after(sample.repository, Order.parse(sort, REPOSITORIES))
    return f"{_storage(sample)}/repositories?{urlencode(asked)}"


def _run(sample: Sample) -> str:
    """All of its tags, or those that came to one end."""
    ends = ("", "copied", "failed", "unchanged")
    asked = {"end": ends[sample.number % len(ends)]}
    return f"{sample.run.get_absolute_url()}?{urlencode(asked)}"


def _api_of_repository(sample: Sample) -> str:
    return f"/api/v1/repositories/{sample.repository.registry.name}/{sample.repository.name}"


def _api_of_image(sample: Sample) -> str:
    presence = sample.tag.presence
    return f"{_api_of_repository(sample)}/-/manifests/{presence.manifest.digest}" if presence else "/api/v1/jobs"


KINDS: Final[dict[str, Callable[[Sample], str]]] = {
    "repository list": _all,
    "repository list of a registry": _of_registry,
    "repository list of a namespace": _of_namespace,
    "repository list with problems": _with_problems,
    "repository search": _search,
    "repository": _page,
    "repository, sorted": _sorted_page,
    "widest repository": _wide,
    "tag search": _tag_search,
    "tag search in the widest repository": _wide_search,
    "gone tags": _gone,
    "timeline": lambda sample: f"{_page(sample)}/-/timeline",
    "timeline of the widest repository": lambda sample: f"{sample.wide.get_absolute_url()}/-/timeline",
    "search for a word": _searching(lambda sample: (*_WORDS, sample.repository.base_name)[sample.number % 8]),
    "search for a tag": _searching(lambda sample: sample.tag.name),
    "search for a part of tags": _searching(lambda sample: f"tag:{_TAG_WORDS[sample.number % len(_TAG_WORDS)]}"),
    "search for two letters": _searching(_pair),
    "search for a tag of some repositories": _searching(lambda s: f"{s.repository.base_name} {s.tag.name[:3]}"),
    "search for a digest": _searching(_hex),
    "search for a label": _searching(lambda sample: f"label:team={sample.repository.name.partition('/')[0]}"),
    "search for a platform": _searching(lambda sample: f"platform:linux/arm64 {sample.repository.base_name[:5]}"),
    "search for a pattern": _searching(_pattern),
    "search for a reference": _searching(_pull),
    "image": _image,
    "image of the widest repository": _wide_tag,
    "image by digest": _digest,
    "image index": _index,
    "registry": _registry_page,
    "registry list": lambda _: "/registries",
    "scans": lambda sample: f"/registries/{sample.scan.registry.name}/scans",
    "scan": _scan,
    "jobs": lambda _: "/jobs",
    "API, repositories": lambda sample: f"/api/v1/repositories?{urlencode({'sort': _sort(sample, COLUMNS)})}",
    "API, repository": _api_of_repository,
    "API, tags": lambda sample: f"{_api_of_repository(sample)}/-/tags",
    "API, tags of the widest repository": lambda sample: (
        f"/api/v1/repositories/{sample.wide.registry.name}/{sample.wide.name}/-/tags"
    ),
    "API, manifest": _api_of_image,
    "API, search": lambda sample: "/api/v1/search?" + urlencode({"q": sample.tag.name}),
    "API, jobs": lambda _: "/api/v1/jobs",
    "job": lambda sample: f"/jobs/{sample.scan.job_id}",
    "history of a tag": lambda sample: f"{_image(sample)}/history",
    "tag or copy": lambda sample: f"{_digest(sample)}/copy?{urlencode({'tag': sample.tag.name})}",
    "plan": lambda sample: f"/plans/{sample.entry.plan_id}",
    "activity": _activity,
    "activity of a tag": lambda sample: f"/activity?{_of_entry(sample)}",
    "activity of a person": lambda sample: _activity(sample, actor=sample.told.actor),
    "activity of a registry": lambda sample: _activity(sample, registry=sample.told.registry),
    "activity of a repository": lambda sample: _activity(
        sample, registry=sample.told.registry, repository=sample.told.repository
    ),
    "activity of a namespace": lambda sample: _activity(
        sample, repository=f"{sample.told.repository.partition('/')[0]}/*"
    ),
    "activity of a pattern": lambda sample: _activity(sample, repository=f"*{sample.told.repository[-6:]}"),
    "activity of a digest": lambda sample: _activity(sample, digest=sample.told.digest_after),
    "activity from an address": lambda sample: _activity(sample, address=sample.told.address),
    "activity of one kind": lambda sample: _activity(sample, act=_ACTS[sample.number % len(_ACTS)]),
    "activity of a day": lambda sample: _activity(sample, **_day(sample)),
    "activity by all at once": lambda sample: _activity(
        sample,
        actor=sample.told.actor,
        act=_ACTS[sample.number % len(_ACTS)],
        repository=f"{sample.told.repository.partition('/')[0]}/*",
    ),
    "what is new in the activity": lambda sample: (
        f"/activity/newer?{urlencode({'after': sample.told.pk, 'actor': sample.told.actor})}"
    ),
    "trash": lambda sample: _older("/trash", trash_page.COLUMNS, sample, sample.thrown_away),
    "trash of a repository": lambda sample: f"/trash?{urlencode({'repository': sample.thrown_away.repository.name})}",
    "protected tags": lambda _: "/protection",
    "storage": lambda sample: ("/storage", _storage(sample))[sample.number % 2],
    "storage of a namespace": lambda sample: (
        f"{_storage(sample)}?{urlencode({'namespace': sample.repository.namespace.partition('/')[0]})}"
    ),
    "storage of repositories": _storage_of_repositories,
    "largest images": lambda sample: f"{_storage(sample)}/images?{urlencode({'sort': _sort(sample, IMAGES)})}",
    "images in several repositories": lambda sample: (
        f"{_storage(sample)}/repeated?{urlencode({'sort': _sort(sample, REPEATED)})}"
    ),
    "API, storage": lambda _: "/api/v1/storage",
    "API, storage of repositories": lambda sample: f"/api/v1{_storage_of_repositories(sample).partition('&page')[0]}",
    "sync rules": lambda sample: _older("/sync", sync_rules.COLUMNS, sample, sample.rule),
    "sync rule": lambda sample: sample.rule.get_absolute_url(),
    "form of a sync rule": lambda sample: f"{sample.rule.get_absolute_url()}/edit",
    "sync runs": lambda sample: _older("/sync/runs", sync_runs.COLUMNS, sample, sample.run),
    "sync run": _run,
    "sources": lambda _: "/sync/sources",
    "API, history of a tag": lambda sample: f"{_api_of_repository(sample)}/-/tags/{sample.tag.name}/history",
    "API, plans": lambda _: "/api/v1/plans",
    "API, plan": lambda sample: f"/api/v1/plans/{sample.entry.plan_id}",
    "API, activity": lambda sample: f"/api/v1/activity?{_of_entry(sample)}",
    "API, trash": lambda _: "/api/v1/trash",
    **cleanup_paths.KINDS,
}


def _registry(sample: Sample) -> str:
    return sample.repository.registry.get_absolute_url()


def _sort(sample: Sample, columns: dict[str, Column]) -> str:
    names = [sign + name for sign in ("", "-") for name in columns]
    return names[sample.number % len(names)]


def _list(sample: Sample, columns: dict[str, Column], row: Model) -> str:
    """Some page of a list in some order: the one that begins after `row`, which is anywhere."""
    sort = _sort(sample, columns)
    asked = {"sort": sort}
    if sample.number % (_DEEP + 1):
        asked["page"] = token_after(row, Order.parse(sort, columns))
    return f"?{urlencode(asked)}"


def paths(number: int) -> dict[str, list[str]]:
    """`number` of each kind, the same each time."""
    samples = list(samples_of(number))
    return {name: [path(sample) for sample in samples] for name, path in KINDS.items()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(paths(int(sys.argv[1]))))
