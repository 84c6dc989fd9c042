"""A test of the events of a registry: it is asked for an image, and should tell Berth of that."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from django.db.models import Max, Sum
from django.utils.translation import gettext as _

from audit.models import Delivery, EventStream, Quarantined, Refused
from catalog.models import Repository
from jobs.processor import given_up
from oci.errors import NotFound, RegistryError
from oci.names import Digest, parse_repository
from registries.clients import hasty_client_for
from registries.findings import Finding, Mark
from registries.models import EventSecret, Registry

SECONDS: Final = 15.0
_ASKED: Final = 5.0  # seconds that the registry has for an answer
_EFFECT: Final = 2.0  # seconds that an event has to take effect
_PAUSE: Final = 0.25
_TRIES: Final = 3  # repositories: what the catalog knows may be gone by now


@dataclass(frozen=True, slots=True)
class _Standing:
    """What moves when something comes in."""

    handled: object  # when the last of what took effect had come
    came: int  # the last delivery
    apart: int  # the last in quarantine
    refused: int


def let_tell(registry: Registry, seconds: float = SECONDS) -> Finding:
    """Ask the registry for a manifest, and wait for at most `seconds` until it tells of that. Changes nothing there.

    What came of it is a finding, `Mark.OK` where something came in. No transaction is open meanwhile.
    """
    if not EventSecret.objects.filter(registry=registry).exists():
        return Finding(Mark.NO, _("Test"), "", _("No secret is live, so nothing can come in."), _("Issue one first."))
    began = time.monotonic()
    before = _standing(registry)
    with given_up():
        if problem := _read_something(registry):
            return problem
        while True:
            now = _standing(registry)
            if now != before or time.monotonic() - began > seconds:
                break
            time.sleep(_PAUSE)
        took = time.monotonic() - began
        if now.came > before.came and now.handled == before.handled:
            now = _awaited_effect(registry, before, min(time.monotonic() + _EFFECT, began + seconds))
    return _finding(before, now, took)


def _standing(registry: Registry) -> _Standing:
    secrets = EventSecret.objects.filter(registry=registry)
    names = {registry.name, *secrets.values_list("name", flat=True)}
    came, apart = Delivery.objects.filter(registry_id=registry.pk), Quarantined.objects.filter(registry_id=registry.pk)
    return _Standing(
        handled=EventStream.objects.filter(registry_id=registry.pk).values_list("last_at", flat=True).first(),
        came=came.aggregate(last=Max("pk"))["last"] or 0,
        apart=apart.aggregate(last=Max("pk"))["last"] or 0,
        refused=Refused.objects.filter(registry__in=names).aggregate(all=Sum("count"))["all"] or 0,
    )


def _read_something(registry: Registry) -> Finding | None:
    """Why nothing could be read. A GET of a manifest is a pull, of which registries tell."""
    known = Repository.objects.live().filter(registry=registry, newest__isnull=False)
    places = list(known.order_by("pk").values_list("name", "newest__manifest__digest")[:_TRIES])
    topic = _("Test")
    try:
        with hasty_client_for(registry, _ASKED) as client:
            for name, digest in places:
                try:
                    client.manifest(parse_repository(name), Digest.parse(digest))
                except NotFound:
                    continue
                return None
            client.ping()
    except RegistryError as error:
        sentence = _("The registry could not be asked for anything, so it has nothing to tell.")
        cure = _("See first that Berth can read it: its test says more.")
        return Finding(Mark.NO, topic, "", sentence, cure, str(error))
    sentence = _("The registry answers, and holds no image that Berth knows of: there is nothing to read.")
    return Finding(Mark.NO, topic, "", sentence, _("Push an image: that is an event, too."))


def _awaited_effect(registry: Registry, before: _Standing, until: float) -> _Standing:
    while (now := _standing(registry)).handled == before.handled and time.monotonic() < until:
        time.sleep(_PAUSE)
    return now


def _finding(before: _Standing, now: _Standing, took: float) -> Finding:
    topic, seconds = _("Test"), {"n": f"{took:.1f}"}
    if now.handled != before.handled:
        sentence = _("It works: the registry told of what Berth read there, and that came in after %(n)s s.")
        return Finding(Mark.OK, topic, "", sentence % seconds)
    if now.came > before.came:
        sentence = _("The registry told of what Berth read there: it came in after %(n)s s, and waits for its effect.")
        return Finding(Mark.OK, topic, "", sentence % seconds, _("Berth's workers give it effect: are they running?"))
    if now.apart > before.apart:
        sentence = _("Something came in after %(n)s s, and could not be handled.")
        return Finding(Mark.NO, topic, "", sentence % seconds, _("Look at how it begins: what sent it?"))
    if now.refused > before.refused:
        sentence = _("It calls, or somebody does in its name, and does not show the secret.")
        cure = _("Issue a new secret, put the block with it into its configuration, and start it anew.")
        return Finding(Mark.NO, topic, "", sentence, cure)
    sentence = _("The registry gave the image, and told nothing for %(n)s s.") % seconds
    cure = _(
        "Either the block is not in its configuration, or it was not started anew since, or it does not reach Berth at"
        " the address there. Its log says which: look for “configuring endpoint berth” and “error writing event”."
    )
    return Finding(Mark.NO, topic, "", sentence, cure)
