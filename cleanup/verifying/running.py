"""The job that checks a registry: one repository after the other, so that one who is interrupted goes on after it."""

from __future__ import annotations

import random
from contextlib import closing
from typing import Final

from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.scanning.choosing import own_folder
from catalog.scanning.patience import Patience
from cleanup.models import Check
from cleanup.verifying.crew import Crew
from cleanup.verifying.faults import Fault
from cleanup.verifying.images import Images, Tally
from cleanup.verifying.looking import Look
from cleanup.verifying.recording import Recording
from cleanup.verifying.terms import Terms
from cleanup.verifying.through_api import ThroughApi
from cleanup.verifying.through_folder import ThroughFolder
from jobs import visitors
from jobs.running import JobFailed, Lease, LeaseLost, Stopped, reason_of
from oci.client import RegistryClient
from oci.errors import InvalidName, RegistryError
from oci.names import RepositoryName, parse_repository
from oci.storage import StorageFault, Unreadable
from registries.clients import client_for, throttle_for
from registries.models import Registry

KIND: Final = "verify"
_RETIRED: Final = gettext_noop("The registry has retired or was removed: it is not checked any more.")
_UNASKABLE: Final = gettext_noop("%(registry)s cannot be asked: %(why)s.")
_SILENT: Final = gettext_noop(
    "The registry does not answer any more: %(why)s. What was not looked at is neither whole nor broken."
)
_NOTHING: Final = gettext_noop("There was no tag to look at.")
_WHOLE: Final = gettext_noop("All %(n)s tags that were looked at are whole.")
_BROKEN: Final = gettext_noop("Of %(n)s tags %(broken)s are broken, and %(unasked)s could not be asked for.")
_STOPPED: Final = gettext_noop("Stopped after %(n)s tags, of which %(broken)s are broken.")
SENTENCES: Final = (_RETIRED, _UNASKABLE, _SILENT, _NOTHING, _WHOLE, _BROKEN, _STOPPED)


def run(lease: Lease) -> str:
    """Check the registry that the lease's job is about; how it ended, for people. Raises JobFailed, Stopped."""
    registry = Registry.objects.active().filter(pk=lease.subject.removeprefix("registry:")).first()
    if registry is None:
        return _RETIRED
    check = _begin(lease, registry)
    try:
        sentence = _run(lease, registry, check)
    except Stopped:
        _end(check, Check.State.BROKEN_OFF, _STOPPED % _counts(check))
        raise
    except (LeaseLost, OperationalError, InterfaceError):
        raise  # somebody goes on with it
    except Exception as error:
        _end(check, Check.State.BROKEN_OFF, reason_of(error))
        raise
    with lease.writing():
        _end(check, Check.State.DONE, sentence)
    return sentence


def _begin(lease: Lease, registry: Registry) -> Check:
    """That of the job, where it left off; a new one where the job is run again."""
    with lease.writing():
        check = Check.objects.filter(job_id=lease.job_id).first()
        if check is None:
            check = new_check(registry, Terms.read(lease.params), job_id=lease.job_id)
        check.state, check.began_at = Check.State.UNDER_WAY, check.began_at or timezone.now()
        check.save(update_fields=["state", "began_at"])
    check.registry = registry
    return check


def new_check(registry: Registry, terms: Terms, *, job_id: int | None = None) -> Check:
    return Check.objects.create(
        registry=registry,
        job_id=job_id,
        sample=terms.sample,
        repository=terms.repository,
        is_deep=terms.is_deep,
        after_job=terms.after,
    )


def _run(lease: Lease, registry: Registry, check: Check) -> str:
    try:
        with client_for(registry, lease.caller) as client:
            client.transport.pace.gives_way = visitors.are_here
            lease.tell(now=True, phase="verifying")
            look = _look(registry, client, check)
            _Checking(lease, check, look, client).run()
    except (StorageFault, InvalidName) as error:
        raise JobFailed(_UNASKABLE % {"registry": registry.name, "why": str(error).rstrip(".")}) from error
    if not check.tags and not check.unasked:
        return _NOTHING
    return (_BROKEN if check.broken or check.unasked else _WHOLE) % _counts(check)


def _look(registry: Registry, client: RegistryClient, check: Check) -> Look:
    """The folder where it is proved to be the registry's own, else the API. Raises RegistryError where none answers."""
    folder, check.way_note = own_folder(registry, client)
    look: Look
    if folder is not None:
        look = ThroughFolder(folder, is_deep=check.is_deep)
    else:
        look = ThroughApi(registry, client, throttle_for(registry))
    check.way = look.way
    check.save(update_fields=["way", "way_note"])
    return look


class _Checking:
    def __init__(self, lease: Lease, check: Check, look: Look, client: RegistryClient) -> None:
        self._lease, self._check, self._look, self._client = lease, check, look, client
        self._tally = Tally(before=(check.manifests, check.blobs, check.size))
        self._patience = Patience()
        self._recording = Recording(lease, check, self._tally)
        self._done = self._total = 0

    def run(self) -> None:
        names = sorted(self._look.repositories())
        wanted = [name for name in names if not self._check.repository or name == self._check.repository]
        rest = [name for name in wanted if name > self._check.reached]
        self._done, self._total = len(wanted) - len(rest), len(wanted)
        with closing(Crew(self._look.threads, self._tell)) as crew:
            for name in rest:
                self._repository(parse_repository(name), crew)
                self._done += 1
                self._tell()
        if not self._check.repository and self._check.sample is None:
            self._recording.close_gone(names)

    def _repository(self, repository: RepositoryName, crew: Crew) -> None:
        images = Images(self._look, crew, self._tally, self._patience, is_deep=self._check.is_deep)
        try:
            listed = self._look.tags(repository)
        except RegistryError as error:
            if isinstance(error, StorageFault) and not isinstance(error, Unreadable):
                raise  # the folder is not there any more
            self._patience.heard(error)
            self._ask_whether_it_is_there(error)
            self._recording.record_unasked(repository, Fault.unasked("", error))
            return
        if listed is None:
            return
        tags, sample = sorted(listed.tags), self._check.sample
        chosen = tags if sample is None or sample >= len(tags) else random.sample(tags, sample)
        seen = images.see(repository, listed, chosen, pauses=not self._check.new)
        if images.silence is not None:
            self._ask_whether_it_is_there(images.silence)
        self._recording.record(repository, seen, listed.tags)

    def _ask_whether_it_is_there(self, error: RegistryError) -> None:
        """After one answer that did not come. Raises JobFailed where the registry is away: nothing more can be said."""
        try:
            self._client.ping()
        except RegistryError as silence:
            raise JobFailed(_SILENT % {"why": str(error).rstrip(".")}) from silence

    def _tell(self) -> None:
        _, blobs, size = self._tally.figures
        self._lease.tell(
            phase="verifying",
            repositories=[self._done, self._total],
            tags=self._check.tags,
            blobs=blobs,
            bytes=size,
            problems=self._check.broken,
        )


def _counts(check: Check) -> dict[str, str]:
    return {"n": f"{check.tags:,}", "broken": f"{check.broken:,}", "unasked": f"{check.unasked:,}"}


def _end(check: Check, state: Check.State, message: str) -> None:
    check.state, check.message, check.ended_at = state, message, timezone.now()
    check.save(update_fields=["state", "message", "ended_at"])
