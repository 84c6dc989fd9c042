"""Checks for the walk: one that found broken images and stopped sweeps, and one that could not ask."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from catalog.models import Scan
from cleanup.models import Check, CheckFinding, Halt
from registries.models import Registry
from tests.web.furniture import blob_digest

Code = CheckFinding.Code
_WHY = "Check %d found payments/ledger:7.2.0 broken, which nobody knew: %s is not there."


def build(where: Registry, edge: Registry) -> Check:
    """The one whose page is walked to."""
    now = timezone.now()
    hour = timedelta(hours=1)
    figures = {"repositories": 18, "tags": 1204, "manifests": 1877, "blobs": 6120, "size": 48_318_382_080}
    done = {"state": Check.State.DONE, "way": Check.Way.FOLDER, "actor": "mara"}
    whole = "All 1,204 tags that were looked at are whole."
    Check.objects.create(registry=where, message=whole, began_at=now - 90 * hour, ended_at=now - 89 * hour, **done)
    check = Check.objects.create(
        registry=where,
        is_deep=True,
        broken=2,
        new=1,
        unasked=1,
        message="Of 1,204 tags 2 are broken, and 1 could not be asked for.",
        began_at=now - 3 * hour,
        ended_at=now - 2 * hour,
        **done,
        **figures,
    )
    layer = blob_digest("a layer that was lost")
    found = {"found_by": check, "registry": where, "digest": blob_digest("ledger")}
    CheckFinding.objects.create(
        repository="payments/ledger",
        tag="7.2.0",
        part=layer,
        code=Code.NO_LAYER,
        sentence=f"{layer[7:19]} is not there",
        is_new=True,
        **found,
    )
    config = blob_digest("a config that was lost")
    CheckFinding.objects.create(
        repository="payments/ledger",
        tag="7.2.0",
        part=config,
        code=Code.NO_CONFIG,
        sentence=f"{config[7:19]} is not there",
        **found,
    )
    CheckFinding.objects.create(
        repository="odd/a-repository-whose-name-goes-on-for-as-long-as-it-may/and-then-further",
        tag="a-tag-that-is-as-long-as-any-that-somebody-once-made-2026.11.28-rc.1",
        part=layer,
        code=Code.DIFFERS,
        sentence=f"{layer[7:19]} has other bytes than its digest says",
        first_seen=now - 90 * hour,
        **found,
    )
    CheckFinding.objects.create(
        repository="web/admin",
        tag="5.0.1",
        code=Code.UNASKED,
        sentence="GET v2/web/admin/manifests/5.0.1 was refused with 500: UNKNOWN unknown error",
        **found,
    )
    Halt.objects.create(registry=where, why=_WHY % (check.pk, layer[7:19]), since=now - 2 * hour)
    Check.objects.create(
        registry=edge,
        state=Check.State.BROKEN_OFF,
        sample=3,
        message="edge cannot be asked: the connection broke.",
        began_at=now - hour,
        ended_at=now - hour,
    )
    newest = Scan.objects.filter(registry=where).newest_first().values("pk")[:1]
    Scan.objects.filter(pk__in=list(newest.values_list("pk", flat=True))).update(uploads=14, upload_bytes=812_646_400)
    return check
