"""What an entry of the audit tells, as a sentence with links; whatever a registry claimed in it is text and no link."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext

from audit.models import Entry
from web.templatetags.berth import number, short

_ACT: Final = Entry.Act
_OF_REGISTRIES: Final = frozenset(
    {
        *(_ACT.GAP, _ACT.REGISTRY_ADD, _ACT.REGISTRY_CHANGE, _ACT.REGISTRY_REMOVE),
        *(_ACT.SECRET_ISSUE, _ACT.SECRET_REVOKE, _ACT.HALT, _ACT.LIFT, _ACT.SWEEP, _ACT.UNSWEEP),
        *(_ACT.COLLECT_GARBAGE, _ACT.TIMETABLE),
    }
)
OF_RULES: Final = frozenset({_ACT.RULE_ADD, _ACT.RULE_CHANGE, _ACT.RULE_REMOVE})  # of sync, which `why` names
OF_POLICIES: Final = frozenset({_ACT.POLICY_ADD, _ACT.POLICY_CHANGE, _ACT.POLICY_REMOVE})  # which `why` names
_LONGEST: Final = 200  # characters of a rule
# Each with the thing that it was done to.
_TOLD: Final[dict[str, Promise]] = {
    _ACT.DELETE_TAG: gettext_lazy("deleted the tag {thing}"),
    _ACT.DELETE_MANIFEST: gettext_lazy("deleted the image {thing}"),
    _ACT.REMOVE_REPOSITORY: gettext_lazy("removed the repository {thing}"),
    _ACT.RESTORE: gettext_lazy("restored {thing}"),
    _ACT.RETAG: gettext_lazy("tagged {thing}"),
    _ACT.COPY: gettext_lazy("copied to {thing}"),
    _ACT.RENAME: gettext_lazy("renamed {thing}"),
    _ACT.ROLL_BACK: gettext_lazy("rolled back {thing}"),
    _ACT.REVERT: gettext_lazy("put back {thing}"),
    _ACT.PROTECT: gettext_lazy("protected {thing}"),
    _ACT.UNPROTECT: gettext_lazy("protects {thing} no longer"),
    _ACT.PIN: gettext_lazy("said what is in use: {thing}"),
    _ACT.UNPIN: gettext_lazy("says no longer what is in use: {thing}"),
    _ACT.BREACH_MOVE: gettext_lazy("a protected tag was moved from outside: {thing}"),
    _ACT.BREACH_DELETE: gettext_lazy("a protected tag was deleted from outside: {thing}"),
    _ACT.EMPTY_TRASH: gettext_lazy("removed from the trash: {thing}"),
    _ACT.NOTICE_ADD: gettext_lazy("set up notices to {thing}"),
    _ACT.NOTICE_CHANGE: gettext_lazy("changed notices to {thing}"),
    _ACT.NOTICE_REMOVE: gettext_lazy("removed notices to {thing}"),
    _ACT.RULE_ADD: gettext_lazy("set up the sync rule {thing}"),
    _ACT.RULE_CHANGE: gettext_lazy("changed the sync rule {thing}"),
    _ACT.RULE_REMOVE: gettext_lazy("removed the sync rule {thing}"),
    _ACT.POLICY_ADD: gettext_lazy("set up the policy of retention {thing}"),
    _ACT.POLICY_CHANGE: gettext_lazy("changed the policy of retention {thing}"),
    _ACT.POLICY_REMOVE: gettext_lazy("removed the policy of retention {thing}"),
    _ACT.REGISTRY_ADD: gettext_lazy("added the registry {thing}"),
    _ACT.REGISTRY_CHANGE: gettext_lazy("changed the registry {thing}"),
    _ACT.REGISTRY_REMOVE: gettext_lazy("removed the registry {thing}"),
    _ACT.SECRET_ISSUE: gettext_lazy("issued a secret for the events of {thing}"),
    _ACT.SECRET_REVOKE: gettext_lazy("revoked a secret for the events of {thing}"),
    _ACT.HALT: gettext_lazy("found broken images in {thing}, and stopped its sweeps"),
    _ACT.LIFT: gettext_lazy("let sweeps of {thing} run again"),
    _ACT.SWEEP: gettext_lazy("swept {thing}"),
    _ACT.UNSWEEP: gettext_lazy("put back what a sweep of {thing} took"),
    _ACT.CLEAR_UPLOADS: gettext_lazy("removed uploads that were left in {thing}"),
    _ACT.COLLECT_GARBAGE: gettext_lazy("collected the garbage of {thing}"),
    _ACT.TIMETABLE: gettext_lazy("said when cleanup of {thing} is due"),
    _ACT.PUSH: gettext_lazy("pushed {thing}"),
    _ACT.PUSH_AGAIN: gettext_lazy("pushed {thing} again"),
    _ACT.MOVE: gettext_lazy("moved {thing}"),
    _ACT.PULL: gettext_lazy("pulled {thing}"),
    _ACT.DELETE_BLOB: gettext_lazy("deleted a layer of {thing}"),
    _ACT.GAP: gettext_lazy("events of {thing} may be missing"),
    _ACT.OTHER: gettext_lazy("did to {thing} what Berth has no word for"),
}


def sentence_of(entry: Entry) -> SafeString:
    """`pushed team/app:1.0`, with the ways there."""
    thing = thing_of(entry)
    match entry.act:
        case _ACT.MOUNT:
            return _mounted(entry, thing)
        case _ACT.SYNC:
            return format_html(gettext("copied {thing} from {source}"), thing=thing, source=entry.from_repository)
        case _ACT.CHANGE:
            return _changed(entry, thing)
    told = _TOLD.get(entry.act)
    return format_html(str(told), thing=thing) if told else thing


def _mounted(entry: Entry, thing: SafeString) -> SafeString:
    count, layers = entry.count, {"n": number(entry.count), "thing": thing}
    if not entry.from_repository:
        told = ngettext("mounted {n} layer into {thing}", "mounted {n} layers into {thing}", count)
        return format_html(told, **layers)
    told = ngettext(
        "mounted {n} layer from {source} into {thing}", "mounted {n} layers from {source} into {thing}", count
    )
    source = linked("repository", entry.from_repository, entry.registry, entry.from_repository)
    return format_html(told, source=source, **layers)


def _changed(entry: Entry, thing: SafeString) -> SafeString:
    """What a scan found, and nobody had told."""
    if entry.count > 1:
        told = ngettext("{n} tag of {thing} changed", "{n} tags of {thing} changed", entry.count)
        return format_html(told, n=number(entry.count), thing=thing)
    if not entry.digest_before and entry.digest_after:
        return format_html(gettext("{thing} came"), thing=thing)
    if entry.digest_before and not entry.digest_after:
        return format_html(gettext("{thing} went"), thing=thing)
    return format_html(gettext("{thing} changed"), thing=thing)


def thing_of(entry: Entry) -> SafeString:
    """The tag, the image, the repository or the registry that an entry is about; of a rule what it says."""
    where = entry.registry, entry.repository
    if entry.act in OF_RULES:
        return linked("sync-rule", entry.why, entry.why)
    if entry.act in OF_POLICIES:
        return linked("cleanup-policy", entry.why, entry.why)
    if not entry.repository:
        is_of_registry = entry.act in _OF_REGISTRIES
        return linked("registries-page", entry.registry, entry.registry) if is_of_registry else _text(entry.detail)
    repository = linked("repository", entry.repository, *where, is_row=True)
    if entry.tag:
        return format_html("{}:{}", repository, linked("tag-history", entry.tag, *where, entry.tag))
    if digest := entry.digest_after or entry.digest_before:
        return format_html("{}@{}", repository, linked("manifest", short(digest), *where, digest))
    return repository


def linked(name: str, text: str, *arguments: str, is_row: bool = False) -> SafeString:
    """`text`, which leads to the page of that name where there can be one: an event may name what no page has."""
    address = address_of(name, *arguments)
    if not address:
        return conditional_escape(text)
    return format_html('<a href="{}" data-row>{}</a>' if is_row else '<a href="{}">{}</a>', address, text)


@lru_cache(maxsize=1024)
def address_of(name: str, *arguments: str) -> str:
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""


def _text(text: str) -> SafeString:
    return conditional_escape(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
