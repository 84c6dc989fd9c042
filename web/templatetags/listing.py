"""Parts of lists that stand in them fifty times or more, in Python like those of `drawing`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext

from access.models import initials_of
from catalog.models import Presence, Repository
from catalog.reads.namespaces import Namespace
from web.strata import Parts, strata_of
from web.templatetags.berth import number, query, size
from web.templatetags.drawing import chip, icon, lock, time

register = template.Library()


class _Item(NamedTuple):
    """A namespace in the tree."""

    depth: int
    address: str
    is_here: bool
    path: str
    mark: str  # the classes of its sign
    repositories: int
    registry: str  # the name of the one in which a repository has its name, "" where none has


class _State(NamedTuple):
    text: Promise
    why: Promise | str  # "" where the repository says it
    tone: str = ""


_GONE: Final = _State(gettext_lazy("gone"), gettext_lazy("two complete catalogs in a row lacked it"))
_REPOSITORY_STATES: Final[dict[str, _State]] = {
    Repository.State.FAILED: _State(gettext_lazy("could not be read"), "", "danger"),
    Repository.State.EMPTY: _State(gettext_lazy("empty"), gettext_lazy("listed by the registry, and without a tag")),
    Repository.State.NEW: _State(gettext_lazy("not scanned yet"), "", "info"),
}

_LONG_TAG: Final = 32  # characters; a longer one may stand on several lines, in the templates too
_LONG_NAME: Final = 24
_NARROW_NAME: Final = 16
_SOON: Final = timedelta(minutes=1)  # after a push its tags have moved: that is the same change
_DEEPEST: Final = 5  # that is still indented
_PLACE: Final = (
    '<li class="in{}"><a href="{}"{} title="{}"><span class="name"><span class="{}" aria-hidden="true"></span>{}</span>'
    '<small class="num">{}<span class="sr"> {}</span></small></a>{}</li>'
)


@register.filter
def tags_noun(count: int) -> str:
    """`tag` or `tags`, as it fits the count."""
    return ngettext("tag", "tags", count)


@register.simple_tag
def pick(image: Presence) -> SafeString:
    """What selects an image: in its form the tag that is shown first, or those in `goes` that the filter found."""
    label = gettext("Select %(name)s") % {"name": image.lead_tag}
    return format_html(
        '<label class="hit"><input type="checkbox" name="image" value="{}" form="selection" data-pick data-tags="{}"{}>'
        '<span class="sr">{}</span></label>',
        image.pk,
        image.tag_count,
        format_html(' data-goes="{}"', " ".join(goes)) if (goes := getattr(image, "goes", None)) else "",
        label,
    )


@register.filter
def of(values: Mapping[str, Any], key: str) -> Any:
    """What a mapping has of a key."""
    return values.get(key)


@register.simple_tag
def aliases(names: Sequence[str], base: str, why: str = "", protected: Mapping[str, str] | None = None) -> SafeString:
    """Other tags of an image as chips; `base` is the address of their repository, `why` is said before each.

    Those that are `protected` have a lock, with the reason.
    """
    before, locks = format_html('<span class="sr">{} </span>', why) if why else "", protected or {}
    return format_html_join(
        "",
        '<a class="chip alias{3}" href="{0}/-/tags/{1}">{2}{1}{4}</a>',
        ((base, name, before, " long" if len(name) > _LONG_TAG else "", lock(locks.get(name))) for name in names),
    )


@register.simple_tag
def repository_state(repository: Repository) -> SafeString:
    """What is wrong with a repository, if anything, as chips with the reason."""
    count, chips = repository.problem_count, []
    found = _GONE if repository.gone_at else _REPOSITORY_STATES.get(repository.state)
    if found:
        chips.append(chip(str(found.text), found.tone, str(found.why) or repository.problem))
    if count:
        text = ngettext("%(all)s problem", "%(all)s problems", count) % {"all": number(count)}
        chips.append(chip(text, "warn", gettext("tags that cannot be read, or images with a part missing")))
    return format_html_join("", "{}", ((drawn,) for drawn in chips))


@register.simple_tag(takes_context=True)
def image_date(context: Context, presence: Presence) -> str:
    """The best date that is known of an image, and what it rests on; to whom has signed in also who pushed it."""
    rest = _dated_by(presence.dated_by, get_language())
    if presence.dated_by == Presence.DatedBy.TOLD and presence.pushed_by and context["user"].is_authenticated:
        said = gettext("pushed by %(name)s") % {"name": Truncator(presence.pushed_by).chars(_LONG_NAME)}
        claimed = gettext("as the registry claims")
        rest = format_html('<span class="sub" title="{}: {}"> · {}</span>', presence.pushed_by, claimed, said)
    return rest if presence.date is None else format_html("{}{}", time(presence.date), rest)


@register.simple_tag(takes_context=True)
def last_change(context: Context, repository: Repository) -> str:
    """When a repository last changed; to whom has signed in also who is said to have pushed, where it was a push."""
    when, newest = repository.last_change, repository.newest
    said = time(when, gettext("not known"))
    if when is None or newest is None or not context["user"].is_authenticated:
        return said
    is_push = newest.dated_by == Presence.DatedBy.TOLD and when - newest.dated < _SOON
    if not is_push or not newest.pushed_by:
        return said
    return format_html(
        '<div class="who"><span class="ava" aria-hidden="true">{0}</span><span title="{1}: {2}">{3}'
        '<span class="sub"> · {4}</span></span></div>',
        initials_of(newest.pushed_by), newest.pushed_by, gettext("pushed, as the registry claims"),
        Truncator(newest.pushed_by).chars(_NARROW_NAME), said,
    )  # fmt: skip


@lru_cache(maxsize=64)
def _dated_by(dated_by: str, _language: str | None) -> str:
    how = Presence.DatedBy(dated_by)
    said = {
        Presence.DatedBy.FOUND: gettext("before the first scan"),
        Presence.DatedBy.CREATED: " · " + gettext("created"),
        Presence.DatedBy.TOLD: " · " + gettext("pushed"),
    }
    words = said.get(how) or " · " + gettext("arrived")
    return format_html('<span class="sub" title="{}">{}</span>', how.label, words)


@register.simple_tag(takes_context=True)
def places(
    context: Context, namespaces: Iterable[Namespace], depth: int = 0, here: str = "", *, is_way: bool = False
) -> SafeString:
    """Namespaces as items of the tree, `depth` levels inside; of those on the way to `here` each is inside the last."""
    page = query(context, ns="", q="", after="")
    beginning, language = f"{page}&" if page.startswith("?") else "?", get_language()
    items = (
        _Item(
            min(depth + (further if is_way else 0), _DEEPEST),
            beginning + urlencode({"ns": place.path}),
            bool(here) and place.path == here,
            place.path,
            " ".join(name for name, holds in (("mark", place.has_below), ("open", is_way)) if holds),
            place.repositories,
            place.registry,
        )
        for further, place in enumerate(namespaces)
    )
    return format_html_join("", "{}", ((_drawn(item, language),) for item in items))


@lru_cache(maxsize=2048)  # the pages of a list have the same ones beside them
def _drawn(item: _Item, _language: str | None) -> SafeString:
    return format_html(
        _PLACE,
        item.depth,
        item.address,
        format_html(' aria-current="{}"', "page") if item.is_here else "",
        item.path,
        item.mark,
        item.path.rpartition("/")[2],
        number(item.repositories),
        ngettext("repository", "repositories", item.repositories),
        _own(item.path, item.registry) if item.registry else "",
    )


def _own(path: str, registry: str) -> SafeString:
    """The way into the repository of the same name."""
    return format_html(
        '<a class="own" href="{0}" title="{1}">{2}<span class="sr">{1}</span></a>',
        reverse("repository", args=[registry, path]),
        gettext("The repository %(name)s") % {"name": path},
        icon("box", 14),
    )


@register.simple_tag
def strata_bar(total: Parts, whole: int, height: int) -> SafeString:
    """Bytes that add up as a bar `height` CSS pixels high: used here alone, elsewhere too (hatched), saved (hollow).

    The full width stands for `whole` bytes. The page includes `components/hatch.html` once.
    """
    told = gettext("%(unique)s only here, %(shared)s shared, %(saved)s saved") % {
        "unique": size(total.unique), "shared": size(total.shared), "saved": size(total.saved),
    }  # fmt: skip
    hatched = '<rect x="{1}" width="{2}" height="{3}" rx="2" fill="url(#hatch)"/>'
    drawn = [
        format_html(
            '<rect class="{0}" x="{1}" width="{2}" height="{3}" rx="2"/>' + (hatched if part.name == "shared" else ""),
            part.name, part.x, part.width, height,
        )
        for part in strata_of(total, whole)
    ]  # fmt: skip
    return format_html(
        '<svg class="strata-bar" width="100%" height="{0}" role="img" aria-label="{1}">'
        '<rect class="bg" width="100%" height="{0}" rx="3"/>{2}</svg>',
        height,
        told,
        format_html_join("", "{}", ((part,) for part in drawn)),
    )
