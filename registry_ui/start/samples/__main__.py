"""`python -m registry_ui.start.samples URL MARKER`: fill an empty registry, once (see push.py)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from oci.client import RegistryClient
from oci.endpoint import USER_AGENT, Endpoint
from oci.errors import RegistryError
from oci.transport import Transport
from registry_ui.start.samples.push import fill

_AGENT: Final = f"{USER_AGENT} (sample images of ./run)"  # so that the record of pushes names them


def main(url: str, marker: str) -> None:
    client = RegistryClient(Transport(Endpoint.parse(url, plain_http=True), user_agent=_AGENT))
    try:
        if fill(client, Path(marker)):
            sys.stdout.write("Samples are in the registry: a few images to look at\n")
    except RegistryError as error:
        sys.exit(f"The samples could not be pushed ({error}): start again, or leave them out with --no-samples.")


if __name__ == "__main__":
    main(*sys.argv[1:])
