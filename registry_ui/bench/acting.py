"""One plan in a process of its own, and what it cost: all that a bench knows of how Berth changes tags.

`python -m registry_ui.bench.acting probe REGISTRY` finds out what the registry can do, `… delete REGISTRY REPOSITORY`
deletes the tags that its standard input names, a line each, and `… restore REGISTRY REPOSITORY` puts back all that the
trash has of that repository.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from registry_ui.bench.errors import BenchError
from registry_ui.bench.processes import last_words
from registry_ui.bench.site import STAFF, Site

if TYPE_CHECKING:
    from catalog.models import Repository
    from tagging.models import Plan
    from tagging.planning import Asked

_MODULE: Final = "registry_ui.bench.acting"


@dataclass(frozen=True, slots=True)
class Acted:
    plan: float  # seconds until the plan was made
    carry_out: float  # and until it was carried out, by what a worker calls
    done: int  # of its items


def probe(site: Site, registry: str) -> None:
    site.run(_MODULE, "probe", registry)


def delete(site: Site, registry: str, repository: str, tags: Iterable[str]) -> Acted:
    return _act(site, "delete", registry, repository, tags)


def restore(site: Site, registry: str, repository: str) -> Acted:
    return _act(site, "restore", registry, repository, ())


def _act(site: Site, verb: str, registry: str, repository: str, tags: Iterable[str]) -> Acted:
    process = site.start(_MODULE, verb, registry, repository)
    output, _ = process.communicate("".join(f"{tag}\n" for tag in tags).encode())
    if process.returncode:
        raise BenchError(f"The plan fell over:\n{last_words(site.log)}")
    told = json.loads(output)
    if told.pop("state") != "done":
        raise BenchError(f"The plan did not end well: {told['message']}\n{last_words(site.log)}")
    told.pop("message")
    return Acted(**told)


def _probe(registry: str) -> None:
    from registries.models import Registry
    from registries.probing import probe as probe_row

    probe_row(Registry.objects.get(name=registry))


def _carry_out(verb: str, registry: str, repository: str) -> None:
    from access.models import User
    from catalog.models import Repository
    from jobs import running
    from tagging import services
    from tagging.models import PlanItem
    from tagging.planning import Asked

    asked = Asked(User.objects.get(username=STAFF))
    row = Repository.objects.select_related("registry").get(registry__name=registry, name=repository)
    make_plan = {"delete": _deletion, "restore": _restoration}[verb](row, asked)
    planned = time.perf_counter()
    plan = make_plan()
    queued = time.perf_counter()
    job = services.carry_out(plan, asked.person)
    began = time.perf_counter()
    running.run(job.pk)
    ended = time.perf_counter()
    plan.refresh_from_db()
    done = plan.items.filter(state=PlanItem.State.DONE).count()
    told = {"plan": queued - planned, "carry_out": ended - began, "done": done}
    sys.stdout.write(json.dumps({**told, "state": plan.state, "message": plan.message}))


def _deletion(repository: Repository, asked: Asked) -> Callable[[], Plan]:
    from tagging.planning import plan_tags

    names = sys.stdin.read().split()
    return lambda: plan_tags(repository, names, asked)


def _restoration(repository: Repository, asked: Asked) -> Callable[[], Plan]:
    from tagging.models import TrashEntry
    from tagging.planning_restores import plan_restore

    entries = list(TrashEntry.objects.listed().filter(repository=repository))
    return lambda: plan_restore(repository.registry, entries, asked)


if __name__ == "__main__":
    import django

    django.setup()
    if sys.argv[1] == "probe":
        _probe(*sys.argv[2:])
    else:
        _carry_out(*sys.argv[1:])
