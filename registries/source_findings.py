"""What the last probe of a source found, in sentences: whether it lets us in, what it counts, and what it lists."""

from __future__ import annotations

from typing import Final

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registries.finding import Finding, Mark
from registries.models import Registry
from registries.presets import preset_called

_HOUR: Final = 3600  # seconds


def sign_in(registry: Registry) -> Finding | None:
    """As whom we are let in, where that is nobody; else it is the same as of ours."""
    if registry.username or registry.client_certificate or registry.capability("auth") == "none":
        return None
    sentence = _("Lets everybody in to its public images, and us as nobody in particular.")
    return Finding(Mark.OK, _("Sign-in"), _("Anonymous"), sentence)


def pulls(registry: Registry) -> list[Finding]:
    """What came of asking for an image; none where it was asked for none."""
    topic, image = _("Pull"), str(registry.capability("image") or "")
    why = str(registry.capability("reason") or "")
    match registry.capability("pull"):
        case "there":
            return [Finding(Mark.OK, topic, "", _("%(image)s may be pulled.") % {"image": image})]
        case "absent":
            sentence = _("It lets us in, and has no %(image)s.") % {"image": image}
            return [Finding(Mark.NOTE, topic, "", sentence, _("Look at how it is spelt."))]
        case "later":
            sentence = _("It wants to be asked less just now.")
            return [Finding(Mark.NO, topic, _("Busy"), sentence, _("Limit how much it is asked, or sign in."), why)]
        case "refused":
            sentence = _("%(image)s may not be pulled.") % {"image": image}
            return [Finding(Mark.NO, topic, _("No pull"), sentence, _("Give a user who may pull it."), why)]
        case "failed":
            sentence = _("It answers, yet %(image)s could not be asked for.") % {"image": image}
            return [Finding(Mark.NO, topic, _("No pull"), sentence, _("Test again later; its log may say more."), why)]
    return []


def quota(registry: Registry) -> list[Finding]:
    """How many pulls are left, where it said so, or is known to."""
    topic, said = _("Quota"), registry.capability("quota")
    if not said:
        preset = preset_called(registry.preset)
        if preset is None or not preset.has_quota or registry.capability("pull") != "there":
            return []
        return [Finding(Mark.OK, topic, "", _("It counts no pulls of ours."))]
    left = _left(said["remaining"], said["limit"], said["window"])
    if said["remaining"] > registry.quota_floor:
        return [Finding(Mark.OK, topic, "", left)]
    cure = _("Rules wait until there are more than %(floor)s. Sign in, as whoever does has more.")
    cure %= {"floor": number_format(registry.quota_floor, force_grouping=True)}
    return [Finding(Mark.NO, topic, _("Few pulls"), left, cure)]


def listing(registry: Registry) -> list[Finding]:
    """Whether rules may choose its repositories by patterns; none where it wanted to be left alone."""
    topic = _("Catalog")
    if registry.capability("catalog_allowed") is None:
        return []
    if not registry.capability("listed"):
        sentence = _("It does not list its repositories to us: rules name each that is copied.")
        return [Finding(Mark.NOTE, topic, _("No catalog"), sentence)]
    sentence = _("It lists its repositories, so rules may choose them by patterns.")
    return [Finding(Mark.OK, topic, _("Catalog"), sentence)]


def _left(remaining: int, limit: int | None, window: int) -> str:
    figures = {
        "n": number_format(remaining, force_grouping=True),
        "limit": number_format(limit, force_grouping=True) if limit is not None else "",
        "hours": number_format(round(window / _HOUR, 1), decimal_pos=0 if window % _HOUR == 0 else 1),
    }
    if limit is None:
        return ngettext("%(n)s pull is left.", "%(n)s pulls are left.", remaining) % figures
    if not window:
        return ngettext("%(n)s pull of %(limit)s is left.", "%(n)s pulls of %(limit)s are left.", remaining) % figures
    return (
        ngettext(
            "%(n)s pull of %(limit)s in %(hours)s hours is left.",
            "%(n)s pulls of %(limit)s in %(hours)s hours are left.",
            remaining,
        )
        % figures
    )
