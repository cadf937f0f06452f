import pytest
from aioice import ice

from pipeline.media.addresses import gather_only


def test_only_the_chosen_addresses_are_offered():
    gather_only(("127.0.0.1", "::1"))
    assert ice.get_host_addresses(use_ipv4=True, use_ipv6=True) == ["127.0.0.1", "::1"]
    assert ice.get_host_addresses(use_ipv4=True, use_ipv6=False) == ["127.0.0.1"]


def test_without_a_choice_aioice_decides_and_leaves_loopback_out():
    gather_only()
    assert "127.0.0.1" not in ice.get_host_addresses(use_ipv4=True, use_ipv6=True)


def test_what_is_not_an_address_is_refused_and_changes_nothing():
    before = ice.get_host_addresses
    with pytest.raises(ValueError):
        gather_only(("localhost",))
    assert ice.get_host_addresses is before
