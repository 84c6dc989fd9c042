"""Filters and tags of every template (they are builtins: no template loads them)."""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from django import template
from django.http import HttpRequest
from django.utils import dateformat, timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext

from catalog.artifact_types import type_named
from catalog.models import Manifest
from registries.models import Registry
from web.commands.lines import Command
from web.commands.signing_in import login_commands
from web.links import web_link
from web.once import FIELD
from web.sentences import said as said_to_reader
from web.sync.words import why

register = template.Library()

_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_WEEK: Final = 7
_MONTH: Final = 30
_YEAR: Final = 365
_MOST_WORDS: Final = 100
_LONGEST_COMMAND: Final = 1_000
_GENERATIONS: Final = {2: "distribution 2.8", 3: "distribution 3"}
_MEDIA_TYPES: Final = {
    "application/vnd.oci.image.index.v1+json": gettext_lazy("OCI image index"),
    "application/vnd.oci.image.manifest.v1+json": gettext_lazy("OCI image manifest"),
    "application/vnd.docker.distribution.manifest.list.v2+json": gettext_lazy("Docker manifest list"),
    "application/vnd.docker.distribution.manifest.v2+json": gettext_lazy("Docker manifest, schema 2"),
    "application/vnd.docker.distribution.manifest.v1+json": gettext_lazy("Docker manifest, schema 1"),
    "application/vnd.docker.distribution.manifest.v1+prettyjws": gettext_lazy("Docker manifest, schema 1, signed"),
}


@register.filter
def size(count: int | None) -> str:
    """Bytes in SI units with three figures at most: 999 B, 20 kB, 98.4 MB, 1.07 TB; nothing for None."""
    if count is None:
        return ""
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:  # noqa: PLR2004  999.5 would be printed as 1000
        value, unit = value / 1000, unit + 1
    places = 0 if unit <= 1 or value >= 99.95 else 2 if unit > 3 and value < 9.995 else 1  # noqa: PLR2004  see above
    return f"{_written(round(value, places), places, get_language())}\N{NO-BREAK SPACE}{_UNITS[unit]}"


@register.filter
def number(count: int | None) -> str:
    """A whole number with its thousands apart: 9,316; nothing for None."""
    return "" if count is None else _written(count, None, get_language())


@lru_cache(maxsize=8192, typed=True)  # a page has a hundred, and few of them are new to the process
def _written(value: float, places: int | None, _language: str | None) -> str:
    return number_format(value, places, force_grouping=True)


@register.filter
def percent(part: int, whole: int) -> str:
    """`part` of `whole` in whole percent: 72%; nothing where there is no whole."""
    return f"{round(100 * part / whole)}%" if whole else ""


@register.filter
def short(digest: str) -> str:
    """The first twelve hex digits of a digest, enough to tell two apart."""
    return str(digest).partition(":")[2][:12]


@register.filter
def short_platform(platform: str) -> str:
    """A platform as a chip shows it: `amd64` for linux/amd64, else the whole of it."""
    return platform.removeprefix("linux/")


@register.filter
def moment(when: datetime | str | None) -> datetime | None:
    """A time from JSON as a datetime; a datetime as it is; None for what is no time."""
    if isinstance(when, str):
        try:
            when = parse_datetime(when)
        except ValueError:
            return None
    if when is not None and timezone.is_naive(when):
        return when.replace(tzinfo=UTC)
    return when


@register.filter
def ago(when: datetime | None) -> str:
    """How long ago, in one figure: `just now`, `12 s ago`, `4 min ago`, `3 h ago`, `yesterday`, `3 weeks ago`."""
    if when is None:
        return ""
    seconds = int((timezone.now() - when).total_seconds())
    if seconds < 5:  # noqa: PLR2004  also what a clock that is ahead says
        return gettext("just now")
    if seconds < 60:  # noqa: PLR2004
        return gettext("%(n)s s ago") % {"n": seconds}
    if seconds < 3600:  # noqa: PLR2004
        return gettext("%(n)s min ago") % {"n": seconds // 60}
    if seconds < 24 * 3600:
        return gettext("%(n)s h ago") % {"n": seconds // 3600}
    return _days_ago(seconds // (24 * 3600))


@register.filter
def ahead(when: datetime) -> str:
    """How long until then, in one figure: `in 14 days`, `in 3 h`, `in 4 min`; `now` once it has come."""
    seconds = int((when - timezone.now()).total_seconds())
    if seconds <= 0:
        return gettext("now")
    if seconds < 3600:  # noqa: PLR2004
        return gettext("in %(n)s min") % {"n": max(1, seconds // 60)}
    if seconds < 24 * 3600:
        return gettext("in %(n)s h") % {"n": seconds // 3600}
    days = round(seconds / (24 * 3600))
    return ngettext("in %(n)s day", "in %(n)s days", days) % {"n": days}


def _days_ago(days: int) -> str:
    if days == 1:
        return gettext("yesterday")
    if days < 2 * _WEEK:
        return ngettext("%(n)s day ago", "%(n)s days ago", days) % {"n": days}
    if days < _MONTH:
        return ngettext("%(n)s week ago", "%(n)s weeks ago", days // _WEEK) % {"n": days // _WEEK}
    if days < _YEAR:
        return ngettext("%(n)s month ago", "%(n)s months ago", days // _MONTH) % {"n": days // _MONTH}
    return ngettext("%(n)s year ago", "%(n)s years ago", days // _YEAR) % {"n": days // _YEAR}


@register.filter
def exact(when: datetime | None) -> str:
    """The whole moment: 24 Nov 2026, 23:56:10 UTC; nothing for None."""
    return "" if when is None else _exact(when.astimezone(UTC).replace(microsecond=0), get_language())


@lru_cache(maxsize=2048)  # a list has fifty, and what a scan saw at once has one
def _exact(when: datetime, _language: str | None) -> str:
    # Translators: day, month and year, time, in the letters of Django's filter "date".
    form = gettext("j M Y, H:i:s")
    return f"{dateformat.format(when, form)} UTC"


@register.filter
def clock(when: datetime) -> str:
    """A moment of today as 14:30 UTC; of another day as 26 Nov, 14:30 UTC."""
    moment = when.astimezone(UTC)
    is_today = moment.date() == timezone.now().astimezone(UTC).date()
    # Translators: day and month, time, in the letters of Django's filter "date".
    form = "H:i" if is_today else gettext("j M, H:i")
    return f"{dateformat.format(moment, form)} UTC"


@register.filter
def lasting(duration: timedelta | float | None) -> str:
    """A duration in its two largest units: 0.4 s, 12 s, 3 min 5 s, 2 h 4 min; nothing for None."""
    if duration is None:
        return ""
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    if seconds < 10:  # noqa: PLR2004
        return gettext("%(n)s s") % {"n": _written(round(seconds, 1), 1, get_language())}
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return gettext("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}
    return gettext("%(n)s s") % {"n": rest}


@register.filter
def share(part: float, whole: float) -> str:
    """`part` of `whole` as a length on a scale of 100, for the width of an SVG bar; never invisible, never too long."""
    return f"{min(100.0, max(3.0, 100 * part / whole)) if whole and part else 0:.1f}"


@register.filter
def linked(text: str) -> str:
    """`text` when it is a web address that a page may link to, else nothing."""
    return web_link(text) or ""


@register.filter
def said(text: object) -> str:
    """What a worker wrote, in the language of the reader where it is ours; nothing for None."""
    return "" if text is None else said_to_reader(str(text))


@register.filter
def why_synced(code: str) -> str:
    """Why a rule takes a tag, in words."""
    return why(code)


@register.filter
def shell(command: Sequence[str]) -> str:
    """As a shell takes it: a line to copy."""
    return shlex.join(map(str, command))


@register.filter
def words(command: Sequence[str]) -> str:
    """A command as the config has it, so that a space in an argument can be told from one between two."""
    shown = json.dumps(list(command[:_MOST_WORDS]), ensure_ascii=False)
    return shown[:_LONGEST_COMMAND] + ("…" if len(shown) > _LONGEST_COMMAND or len(command) > _MOST_WORDS else "")


@register.filter
def logins(registry: Registry) -> list[Command]:
    """The commands that sign in to a registry; none where it asks nobody who they are."""
    return login_commands(registry)


@register.filter
def behaves_like(registry: Registry) -> str:
    """What the last test of a registry told that it behaves like, `distribution 2.8`; nothing while none has."""
    return _GENERATIONS.get(registry.capability("generation") or 0, "")


@register.filter
def kind_name(manifest: Manifest) -> str:
    """What people call a manifest: `Helm chart`, `WebAssembly module`; where nobody knows better, its kind."""
    known = type_named(manifest.artifact_type) if manifest.artifact_type else None
    return str(known.name if known else manifest.get_kind_display())


@register.filter
def media_type(name: str) -> str:
    """What people call a media type of a manifest; any other as it is."""
    return str(_MEDIA_TYPES.get(name, name))


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """Where this page would be with other query parameters: `?…`; an empty value takes one out; back on page one."""
    request: HttpRequest = context["request"]
    parameters = request.GET.copy()
    parameters.pop("page", None)
    for name, value in changes.items():
        parameters.pop(name, None)
        if value not in {None, ""}:
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}" if parameters else request.path


@register.simple_tag
def once() -> SafeString:
    """The field by which a form that is sent again is known; see `web.once`."""
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, secrets.token_hex(8))
