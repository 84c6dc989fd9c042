"""What the web server runs."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from jobs.processor import Turns

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_ui.settings")

application = Turns(get_wsgi_application())
