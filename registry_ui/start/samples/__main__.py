"""`python -m registry_ui.start.samples URL MARKER`: fill an empty registry, once (see push.py)."""

from __future__ import annotations

import sys
from pathlib import Path

from oci.client import RegistryClient
from oci.endpoint import Endpoint
from oci.errors import RegistryError
from registry_ui.start.samples.push import fill


def main(url: str, marker: str) -> None:
    client = RegistryClient(Endpoint.parse(url, plain_http=True))
    try:
        if fill(client, Path(marker)):
            sys.stdout.write("Samples are in the registry: a few images to look at\n")
    except RegistryError as error:
        sys.exit(f"The samples could not be pushed ({error}): start again, or leave them out with --no-samples.")


if __name__ == "__main__":
    main(*sys.argv[1:])
