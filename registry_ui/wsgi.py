"""What the web server runs."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from jobs.processor import Turns

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_ui.settings")

django = get_wsgi_application()

from api.events import EventsFirst  # noqa: E402  it needs Django to be set up

application = Turns(EventsFirst(django))
