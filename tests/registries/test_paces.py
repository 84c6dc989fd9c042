from __future__ import annotations

import pytest

from oci.pace import MOST
from registries.clients import client_for, hasty_client_for, throttle_for
from registries.models import Registry
from tests.web import furniture as make

pytestmark = pytest.mark.django_db


def test_all_clients_of_one_with_limits_share_them() -> None:
    hub, quay = (make.registry(name, role="source", at_once=3) for name in ("hub", "quay"))
    with client_for(hub) as one, hasty_client_for(Registry.objects.get(pk=hub.pk), 3) as two, client_for(quay) as other:
        assert one.transport.pace is two.transport.pace
        assert one.transport.pace is not other.transport.pace
        assert one.transport.pace.limit == 3


def test_a_changed_limit_is_another_pace() -> None:
    hub = make.registry("hub", role="source", at_once=3)
    with client_for(hub) as before:
        hub.at_once = 2
        with client_for(hub) as after:
            assert after.transport.pace is not before.transport.pace
            assert after.transport.pace.limit == 2


def test_another_limit_that_changes_is_none_of_it() -> None:
    hub = make.registry("hub", role="source")
    with client_for(hub) as before:
        hub.quota_floor = 10
        with client_for(hub) as after:
            assert after.transport.pace is before.transport.pace
            assert after.transport.pace._most == MOST


def test_ours_without_limits_has_a_pace_for_each_client() -> None:
    ours = make.registry("ours")
    with client_for(ours) as one, client_for(ours) as two:
        assert one.transport.pace is not two.transport.pace
    ours.requests_per_second = 5.0
    with client_for(ours) as one, client_for(ours) as two:
        assert one.transport.pace is two.transport.pace


def test_bytes_are_counted_together_and_only_where_a_limit_says_so() -> None:
    hub = make.registry("hub", role="source")
    assert throttle_for(hub) is None
    hub.bytes_per_second = 10_000
    throttle = throttle_for(hub)
    assert throttle is not None
    assert throttle_for(hub) is throttle
    hub.bytes_per_second = 20_000
    assert throttle_for(hub) is not throttle


def test_what_one_address_said_does_not_hold_at_another() -> None:
    hub = make.registry("hub", role="source")
    with client_for(hub) as before:
        hub.url = "https://mirror.example.org"
        with client_for(hub) as after:
            assert after.transport.pace is not before.transport.pace
