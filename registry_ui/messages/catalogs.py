"""The translation files: `locale/LANGUAGE/LC_MESSAGES/django.po` for people, and the `.mo` that Django reads."""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from registry_ui.messages.extracting import marked

_HEADER: Final = """\
# Berth in another language: docs/translating.md says how it is kept.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"

"""
_ALWAYS: Final = datetime(2026, 1, 1, tzinfo=UTC)  # the same strings make the same bytes, whoever makes them when


def paths(root: Path) -> Iterator[Path]:
    """The .po file of each language."""
    yield from sorted((root / "locale").glob("*/LC_MESSAGES/django.po"))


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        catalog = read_po(file, locale=path.parent.parent.name)
    catalog.fuzzy = False
    return catalog


def renew(root: Path, path: Path) -> None:
    """Put in what is new, take out what is no longer there, and write both files.

    A string that resembles one that is gone gets its translation, marked fuzzy: somebody has to look at it.
    """
    catalog = read(path)
    catalog.update(marked(root))
    catalog.obsolete.clear()
    text = BytesIO()
    # No line numbers and no wrapping: a difference between two versions is one of words.
    write_po(text, catalog, width=0, omit_header=True, sort_output=True, include_lineno=False)
    header = _HEADER.format(language=catalog.locale_identifier, plural=catalog.plural_forms)
    path.write_bytes(header.encode() + text.getvalue())
    path.with_suffix(".mo").write_bytes(compiled(read(path)))


def compiled(catalog: Catalog) -> bytes:
    """The .mo file: what is fuzzy or empty is left out, so that English stands there."""
    catalog.creation_date = catalog.revision_date = _ALWAYS
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def same(one: bytes, other: bytes) -> bool:
    """Whether two .mo files say the same, whichever version of the tool wrote them; a broken one never does."""
    try:
        return _said(one) == _said(other)
    except (OSError, ValueError):
        return False


def _said(content: bytes) -> dict[object, str]:
    translations: dict[object, str] = dict(vars(gettext.GNUTranslations(BytesIO(content)))["_catalog"])
    translations.pop("", None)
    return translations
