"""What registries would have told of how often they were pushed to and pulled from: the counts that lists show."""

from __future__ import annotations

import random
from datetime import UTC, timedelta
from typing import Final

from django.db.models import F
from django.db.models.functions import Mod
from django.utils import timezone

from catalog.models import Presence, Repository
from catalog.reads import daily
from catalog.rows import moment
from registry_ui.bench.catalog_data.loading import Loader
from registry_ui.bench.catalog_data.shape import Catalog

_BUSY: Final = 2  # one in so many repositories was pushed to of late, by somebody
_PULLED: Final = 20  # one in so many images was pulled of late


def count(catalog: Catalog, loader: Loader) -> None:
    """Of the last days from today on, whenever the catalog itself is from."""
    chance = random.Random(catalog.seed)  # noqa: S311  nothing here is secret
    now = timezone.now()
    today = now.astimezone(UTC).date()
    busy = Repository.objects.alias(rest=Mod("pk", _BUSY)).filter(rest=0)
    newest = Presence.objects.filter(pk__in=busy.values("newest"))
    newest.update(dated_by=Presence.DatedBy.TOLD, pushed_by="ci-platform")
    for pk in busy.values_list("pk", flat=True):
        days = chance.sample(range(daily.PUSHES), chance.randint(1, daily.PUSHES))
        rows = [(pk, str(today - timedelta(days=ago)), chance.randint(1, 40)) for ago in days]
        loader.add("PushDay", ("repository_id", "day", "pushes"), rows)
    pulled = Presence.objects.tagged().alias(rest=Mod("pk", _PULLED)).filter(rest=0)
    pulled.update(pulls=F("size") % 9_000 + 1, pulled=now)
    for pk in pulled.values_list("pk", flat=True):
        days = chance.sample(range(daily.PULLS), chance.randint(1, daily.PULLS))
        counts = [(pk, str(today - timedelta(days=ago)), chance.randint(1, 300), moment(now), True) for ago in days]
        loader.add("PullDay", ("presence_id", "day", "pulls", "last_at", "is_folded"), counts)
