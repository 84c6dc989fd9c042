"""`./run messages`: what is marked is found, what is not translated or not marked is said."""

from __future__ import annotations

import gettext
import sys
from pathlib import Path
from subprocess import run
from typing import Final

import pytest
from django.conf import settings

from registry_ui.messages import catalogs, checking
from registry_ui.messages.unmarked_code import unmarked as unmarked_code
from registry_ui.messages.unmarked_markup import unmarked as unmarked_markup

ROOT: Final = Path(__file__).resolve().parents[2]
HEADER: Final = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
PAGE: Final = """\
{% comment %}Not for people{% endcomment %}<h1>{% translate "Jobs" %}</h1>
<p>{% blocktranslate trimmed count n=jobs|length with all=jobs|length|number %}{{ all }} job{% plural %}{{ all }} jobs
{% endblocktranslate %}</p><p>{% translate "Queued" context "when" %}</p>
"""
VIEW: Final = """\
from django.utils.translation import gettext as _

TITLE = _("Jobs")
FAILED = _("%(name)s could not be read.") % {"name": "x"}
"""
KOREAN: Final = """\
msgid "Jobs"
msgstr "작업"

msgid "%(all)s job"
msgid_plural "%(all)s jobs"
msgstr[0] "작업 %(all)s개"

msgctxt "when"
msgid "Queued"
msgstr "대기열 등록"

msgid "%(name)s could not be read."
msgstr "%(name)s 레지스트리를 읽지 못했습니다."
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/jobs.html").write_text(PAGE)
    (tmp_path / "web").mkdir()
    (tmp_path / "web/jobs.py").write_text(VIEW)
    say(tmp_path, KOREAN)
    return tmp_path


def say(checkout: Path, translations: str) -> Path:
    """The Korean file as a person leaves it, and what is made of it."""
    path = checkout / "locale/ko/LC_MESSAGES/django.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + translations)
    catalogs.renew(checkout, path)
    return path


def test_a_checkout_that_says_everything_has_no_fault(checkout: Path) -> None:
    assert checking.faults(checkout) == []
    with (checkout / "locale/ko/LC_MESSAGES/django.mo").open("rb") as file:
        korean = gettext.GNUTranslations(file)
    assert korean.gettext("Jobs") == "작업"
    assert korean.ngettext("%(all)s job", "%(all)s jobs", 7) == "작업 %(all)s개"
    assert korean.pgettext("when", "Queued") == "대기열 등록"


def test_a_file_that_is_renewed_twice_stays_as_it_is(checkout: Path) -> None:
    path = checkout / "locale/ko/LC_MESSAGES/django.po"
    before = path.read_bytes(), path.with_suffix(".mo").read_bytes()
    catalogs.renew(checkout, path)
    assert (path.read_bytes(), path.with_suffix(".mo").read_bytes()) == before
    assert b"#, fuzzy" not in before[0]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"작업"', '""', "not translated"),
        ('msgid "Jobs"', '#, fuzzy\nmsgid "Jobs"', "fuzzy"),
        ("%(name)s 레지스트리", "레지스트리", "other placeholders"),
        ("%(name)s 레지스트리", "%(nom)s 레지스트리", "other placeholders"),
        ("못했습니다.", "못했습니다", "other spaces or signs"),
        ('"작업 %(all)s개"', '"작업 %(all)s개 <b>"', "other placeholders or tags"),
    ],
)
def test_what_is_wrong_with_a_translation_is_said(checkout: Path, old: str, new: str, fault: str) -> None:
    assert old in KOREAN
    say(checkout, KOREAN.replace(old, new))
    faults = checking.faults(checkout)
    assert len(faults) == 1, faults
    assert fault in faults[0]
    assert "locale/ko/LC_MESSAGES/django.po" in faults[0]


def test_a_string_that_is_new_or_gone_is_said(checkout: Path) -> None:
    view = checkout / "web/jobs.py"
    view.write_text(VIEW + 'NEW = _("Another thing altogether")\n')
    assert [fault for fault in checking.faults(checkout) if "web/jobs.py: not in" in fault]
    view.write_text("")
    assert [fault for fault in checking.faults(checkout) if "no source has it any more" in fault]


def test_a_binary_file_of_another_time_is_said(checkout: Path) -> None:
    path = checkout / "locale/ko/LC_MESSAGES/django.po"
    path.write_text(path.read_text().replace("작업 %(all)s개", "모두 %(all)s개"))
    assert [fault for fault in checking.faults(checkout) if "is not what django.po says" in fault]
    path.with_suffix(".mo").write_bytes(b"broken")
    assert [fault for fault in checking.faults(checkout) if "is not what django.po says" in fault]
    path.with_suffix(".mo").unlink()
    assert [fault for fault in checking.faults(checkout) if "is not what django.po says" in fault]


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<p>Nothing here</p>", ["Nothing here"]),
        ("<p>{{ n }} tags</p>", ["… tags"]),
        ('<button aria-label="Close">{% icon "x" %}</button>', ["Close"]),
        ('<button data-copied="Copied now">x</button>', ["Copied now"]),
        ('{% include "x.html" with text="Not found" tone="warn" only %}', ["Not found"]),
        ('{{ name|default:"nobody at all" }}', ["nobody at all"]),
        ('<input type="submit" value="Send it">', ["Send it"]),
        ("<p>{% translate 'Nothing here' %}</p>", []),
        ("<p>{% blocktranslate %}Nothing <b>here</b>{% endblocktranslate %}</p>", []),
        ("<code>docker login</code> · Docker", []),
        ("{# Nothing here #}{% comment %}Nothing here{% endcomment %}", []),
        ('<div class="Big one" data-kind="tag" id="Main part"></div>', []),
    ],
)
def test_words_of_a_template_that_nothing_marks_are_found(markup: str, words: list[str]) -> None:
    assert list(unmarked_markup(markup)) == words


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ('messages.success(request, "It is saved")', ["It is saved"]),
        ('messages.success(request, _("It is saved"))', []),
        ('forms.CharField(label="User name")', ["User name"]),
        ('class Kind(models.TextChoices):\n    A = "a", "An image"', ["An image"]),
        ('_(f"{n} tags")', ["f'{n} tags'"]),
        ('f"{_(text)} tags"', ["_(text)"]),
        ('x = "The registry does not answer."', ["The registry does not answer."]),
        ('raise ValueError("The registry does not answer.")', []),
        ('log.warning("The registry does not answer.")', []),
        ('def f():\n    """The registry does not answer."""', []),
        ('x = "registry-name"', []),
    ],
)
def test_sentences_of_python_that_nothing_marks_are_found(code: str, words: list[str]) -> None:
    assert list(unmarked_code(code, for_people=True)) == words


def test_this_checkout_is_in_order() -> None:
    done = run(
        [sys.executable, "-m", "registry_ui.messages", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_language_of_the_settings_is_there() -> None:
    there = {path.parent.parent.name for path in catalogs.paths(ROOT)}
    assert there | {"en"} == set(dict(settings.LANGUAGES))
