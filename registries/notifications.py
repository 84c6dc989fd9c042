"""What the configuration of a registry says so that it tells Berth what happens there. Knows no database.

Spec: distribution, "Configuring a registry", notifications. Each form of it was taken by 2.8.2 and by 3.1.1.
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

PATH: Final = "/api/v1/events/"  # of Berth; the name of the registry follows
OWN: Final = "local"  # so our own registry names itself there, whatever it is called by now
SECRET: Final = "THE-SECRET"  # noqa: S105  in the place of one that nobody knows any more
GENERATIONS: Final = {2: "distribution 2.8", 3: "distribution 3"}
_FILES: Final = {
    2: "in the image registry:2: /etc/docker/registry/config.yml",
    3: "in the image registry:3: /etc/distribution/config.yml",
}
_LOOPBACK: Final = ("127.", "localhost", "::1")


def configuration(berth: str, name: str, secret: str) -> dict[str, Any]:
    """The section `notifications`. `berth` is the address of Berth as the registry reaches it, without a path."""
    return {"events": {"includereferences": True}, "endpoints": [_endpoint(berth, name, secret)]}


def block(berth: str, name: str, secret: str, generation: int) -> str:
    """The same as a person puts it into the file, for distribution 2.8 (2) or 3."""
    endpoint = _endpoint(berth, name, secret)
    return f"""# {GENERATIONS[generation]}
# {_FILES[generation]}
notifications:
  events:
    includereferences: true  # a push tells what the image is made of
  endpoints:
    - name: {endpoint["name"]}
      url: {json.dumps(endpoint["url"])}
      headers:
        Authorization: {json.dumps(endpoint["headers"]["Authorization"])}
      timeout: {endpoint["timeout"]}
      threshold: {endpoint["threshold"]}  # after so many failures in a row
      backoff: {endpoint["backoff"]}  # it waits this long before each further try
"""


def variables(berth: str, name: str, secret: str) -> str:
    """The same as environment variables, one a line.

    The list is one of them, since 2.8 takes no part of it alone. What the file calls `events`, the environment calls by
    the name that it has in the program.
    """
    endpoints = json.dumps([_endpoint(berth, name, secret)], separators=(",", ":"))
    return f"REGISTRY_NOTIFICATIONS_EVENTCONFIG_INCLUDEREFERENCES=true\nREGISTRY_NOTIFICATIONS_ENDPOINTS={endpoints}\n"


def remarks(berth: str) -> list[str]:
    """What has to be known of this address of Berth before a registry calls it."""
    parts = urlsplit(berth)
    host, said = parts.hostname or "", []
    if host.startswith(_LOOPBACK):
        other = f"{parts.scheme}://host.docker.internal" + (f":{parts.port}" if parts.port else "")
        sentence = _(
            "%(host)s is the registry's own machine. In a container it is the container itself: there say %(other)s,"
            " on Linux with --add-host=host.docker.internal:host-gateway, and there Berth has to listen (--bind)."
        )
        said.append(sentence % {"host": host, "other": other})
    elif parts.scheme == "http":
        sentence = _(
            "The secret travels unencrypted: who reads it on the way can tell Berth anything in the name of the"
            " registry. Better give an https:// address."
        )
        said.append(sentence)
    if parts.scheme == "https":
        sentence = _(
            "The registry has to trust the certificate of %(host)s: it knows the authorities of its system, or those in"
            " the file that its variable SSL_CERT_FILE names."
        )
        said.append(sentence % {"host": host})
    return [
        *said,
        _("The address has to be the final one: after a redirect the registry asks with GET, and tells nothing."),
        _("At its log level info the registry writes the secret into its log as it starts: at warn it does not."),
    ]


def _endpoint(berth: str, name: str, secret: str) -> dict[str, Any]:
    return {
        "name": "berth",
        "url": f"{berth}{PATH}{name}",
        "headers": {"Authorization": [f"Bearer {secret}"]},
        "timeout": "1s",
        "threshold": 3,
        "backoff": "2s",
    }
