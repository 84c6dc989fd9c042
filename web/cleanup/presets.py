"""Policies that many want, each to begin with: nobody has to write a rule from nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cleanup.retention.terms import Line, Rule


@dataclass(frozen=True, slots=True)
class Preset:
    """`key` is the name that the policy begins with."""

    key: str
    title: Promise
    hint: Promise
    rules: tuple[Rule, ...]


PRESETS: Final = (
    Preset(
        "releases",
        _("Releases and builds"),
        _("Of versions the 5 highest of each minor line; of all else what is new. What is pulled stays."),
        (
            Rule(("*.*",), newest_versions=5, line=Line.MINOR, pulled_within=90),
            Rule(("*", "!*.*", "!latest"), newest=10, younger_than=30, pulled_within=30),
        ),
    ),
    Preset(
        "branches",
        _("Builds of branches"),
        _("The 10 newest of main, master and develop, and what is younger than two weeks."),
        (Rule(("main-*", "master-*", "develop-*"), newest=10, younger_than=14),),
    ),
    Preset(
        "pull-requests",
        _("Pull requests"),
        _("Images of pull and merge requests go after a week."),
        (Rule(("pr-*", "PR-*", "mr-*", "MR-*"), younger_than=7),),
    ),
    Preset(
        "unused",
        _("What nobody pulls"),
        _("What was neither pushed nor pulled for 90 days goes, but for the 3 newest of each repository."),
        (Rule(("*",), newest=3, younger_than=90, pulled_within=90),),
    ),
    Preset(
        "newest",
        _("Only the newest"),
        _("The 20 newest images of each repository stay, whatever their tags are."),
        (Rule(("*",), newest=20),),
    ),
)


def preset_of(key: str) -> Preset | None:
    return next((preset for preset in PRESETS if preset.key == key), None)
