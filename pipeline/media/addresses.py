"""Which of this machine's addresses calls are taken on.

aioice offers every address of every interface, except 127.0.0.1 (`aioice.ice.get_host_addresses`). That is right for
most machines; a machine with many interfaces (containers, VPNs) wants to say which, and tests want loopback alone.
"""

import ipaddress
from collections.abc import Sequence

from aioice import ice

LOOPBACK = ("127.0.0.1",)

_all_addresses = ice.get_host_addresses


def gather_only(addresses: Sequence[str] = ()) -> None:
    """From now on, all connections of this process offer these addresses only; none given: what aioice finds.

    Called once by the composition root. Raises ValueError when one is not an IP address.
    """
    chosen = [str(ipaddress.ip_address(address)) for address in addresses]

    def get_host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        wanted = {version for version, used in ((4, use_ipv4), (6, use_ipv6)) if used}
        return [address for address in chosen if ipaddress.ip_address(address).version in wanted]

    ice.get_host_addresses = get_host_addresses if chosen else _all_addresses
