"""What only the storage folder tells."""

from __future__ import annotations

import pytest

from catalog.models import Scan
from oci.client import RegistryClient
from oci.endpoint import Endpoint
from oci.names import parse_repository
from registries.models import Registry
from tests.catalog.scanning import last_scan, scan
from tests.pushing import Pusher
from tests.real_registry import RealRegistry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def row(row: Registry, own_registry: RealRegistry) -> Registry:
    row.storage = str(own_registry.storage)
    row.save()
    return row


def test_what_no_tag_reaches_and_what_lies_on_disk_is_counted(row: Registry, own_registry: RealRegistry) -> None:
    push = Pusher(own_registry.url, "team/app")
    push.index("1", children=[push.image(), push.image(platform="linux/arm64")])
    push.image("moved", seed="old")
    push.image("moved", seed="new")
    with RegistryClient(Endpoint(own_registry.url)) as client:
        client.begin_upload(parse_repository("team/app"))

        scan(row)

    found = last_scan()
    blobs = list(own_registry.storage.glob("docker/registry/v2/blobs/*/*/*/data"))
    assert found.source == Scan.Source.FOLDER
    assert (found.untagged_manifests, found.uploads, found.upload_bytes) == (1, 1, 0)
    assert (found.disk_blobs, found.disk_bytes) == (len(blobs), sum(path.stat().st_size for path in blobs))


def test_it_is_looked_at_again_when_a_person_asks(row: Registry, own_registry: RealRegistry) -> None:
    push = Pusher(own_registry.url, "app")
    push.image("1", seed="old")
    scan(row)
    push.image("1", seed="new")

    scan(row)
    assert last_scan().untagged_manifests is None
    scan(row, thorough=True)

    assert last_scan().untagged_manifests == 1


def test_an_api_does_not_tell(row: Registry, own_registry: RealRegistry) -> None:
    Registry.objects.update(storage="")
    Pusher(own_registry.url, "app").image("1")

    scan(row)

    assert (last_scan().untagged_manifests, last_scan().disk_bytes) == (None, None)
