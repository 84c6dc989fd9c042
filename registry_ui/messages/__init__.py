"""What people read, in every language: `./run messages` renews the translation files, `./run check` reads them.

extracting, known_words → catalogs, unmarked_markup, unmarked_code → checking
"""

from __future__ import annotations
