"""Pushing, scanning and acting in a test, and asking a real client what came of it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import urllib.error
import urllib.request

from access.models import User
from audit.models import Entry
from catalog.models import Presence, Repository, Tag
from registries.models import Registry
from tagging import planning, planning_restores, services
from tagging.models import Plan, PlanItem, TrashEntry
from tagging.planning import Asked
from tests.catalog.scanning import scan
from tests.pushing import Pusher
from tests.real_registry import RealRegistry

REPOSITORY = "team/app"


class Actor:
    def __init__(self, real: RealRegistry, row: Registry, person: User, repository: str = REPOSITORY) -> None:
        self.real, self.row, self.person, self.name = real, row, person, repository
        self.push = Pusher(real.url, repository)

    def scan(self) -> None:
        job = scan(self.row)
        assert job.state == "done", job.message

    @property
    def repository(self) -> Repository:
        return Repository.objects.select_related("registry").get(registry=self.row, name=self.name)

    # -- acting ---------------------------------------------------------------

    def plan_tags(self, *names: str, why: str = "") -> Plan:
        return planning.plan_tags(self.repository, names, Asked(self.person, why))

    def plan_images(self, *digests: str) -> Plan:
        return planning.plan_images(self.repository, digests, Asked(self.person))

    def plan_repository(self) -> Plan:
        return planning.plan_repository(self.repository, Asked(self.person))

    def plan_restore(self, *entries: TrashEntry, replace: bool = False) -> Plan:
        return planning_restores.plan_restore(self.row, entries, Asked(self.person), replace=replace)

    def carry_out(self, plan: Plan) -> Plan:
        services.carry_out(plan, self.person)
        plan.refresh_from_db()
        return plan

    def delete_from_outside(self, *digests: str) -> None:
        for digest in digests:
            path = f"{self.real.url}/v2/{self.name}/manifests/{digest}"
            urllib.request.urlopen(urllib.request.Request(path, method="DELETE"), timeout=10).close()

    @property
    def overwrites(self) -> bool:
        """Whether this registry deletes single tags only after they were overwritten."""
        return self.real.generation == "2.8"

    # -- what came of it ------------------------------------------------------

    def listed(self) -> set[str]:
        """The tags that the registry itself lists."""
        try:
            with urllib.request.urlopen(f"{self.real.url}/v2/{self.name}/tags/list", timeout=10) as answer:
                return set(json.load(answer)["tags"] or ())
        except urllib.error.HTTPError as error:
            assert error.code == 404  # noqa: PT017  a repository that never had a tag
            return set()

    def live(self) -> set[str]:
        """The tags that the catalog shows."""
        return set(Tag.objects.live().filter(repository=self.repository).values_list("name", flat=True))

    def digest(self, tag: str) -> str:
        """Where the catalog says that a tag points."""
        place = Presence.objects.get(tags__repository=self.repository, tags__name=tag, tags__gone_at=None)
        return place.manifest.digest

    def pulls(self, tag: str) -> bool:
        """Whether skopeo gets the whole image."""
        reference = f"docker://{self.real.url.removeprefix('http://')}/{self.name}:{tag}"
        target = f"dir:{self.real.folder}/pulled-{tag}"
        line = ["skopeo", "copy", "--all", "--src-tls-verify=false", "--quiet", reference, target]
        return subprocess.run(line, capture_output=True, check=False).returncode == 0

    def gets(self, target: str) -> bool:
        try:
            self.push.fetch(target)
        except urllib.error.HTTPError:
            return False
        return True

    def push_digest(self, tag: str) -> str:
        """Of what the registry has under a tag."""
        return f"sha256:{hashlib.sha256(self.push.fetch(tag)).hexdigest()}"

    def outcomes(self, plan: Plan) -> dict[str, str]:
        """The state of each item, by its tag or else its digest."""
        return {item.tag or item.digest: item.state for item in plan.items.all()}

    def notes(self, plan: Plan) -> set[str]:
        return {item.note for item in plan.items.exclude(note="")}

    def entries(self, plan: Plan) -> list[tuple[str, str, str]]:
        return [(e.act, e.tag, e.outcome) for e in Entry.objects.filter(plan_id=plan.pk).order_by("id")]

    def trash(self) -> list[TrashEntry]:
        return list(TrashEntry.objects.listed().newest_first())

    def throwaways(self, *torn: str) -> int:
        """How many tags point to a manifest that only stood in between; none may ever. But for those that are torn."""
        return sum(b"io.berth.throwaway" in self.push.fetch(tag) for tag in self.listed() - set(torn))


def states(plan: Plan) -> list[str]:
    return list(plan.items.in_order().values_list("state", flat=True))


DONE = PlanItem.State.DONE
