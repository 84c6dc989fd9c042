"""Several commands of manage.py in one process, since importing Django is most of what each costs.

`python -m registry_ui.start.commanding migrate --noinput END prepare END`
"""

from __future__ import annotations

import logging
import sys
from typing import Final

END: Final = "END"  # after each command


def main(words: list[str]) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    logging.captureWarnings(True)  # noqa: FBT003  a warning of several lines is one line of the log
    while words:
        at = words.index(END)
        call_command(*words[:at])
        words = words[at + 1 :]


if __name__ == "__main__":
    main(sys.argv[1:])
