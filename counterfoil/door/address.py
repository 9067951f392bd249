"""Addresses of clients and of the proxies between: how they are written, and how they are compared."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Some proxies add the port, and IPv6 stands in brackets then.
_HOP = re.compile(
    r"\[([0-9a-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+)(?::[0-9]{1,5})?|([0-9a-f:.]+)", re.ASCII | re.IGNORECASE
)
# RFC 4291, 2.5.5.2: so long is what stands before an IPv4 address in IPv6.
_MAPPED_BITS = 96


def address_of(text: str) -> Address | None:
    """The address; None when it is none. IPv4 that comes through a socket for IPv6 (RFC 4291, 2.5.5.2) is IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def hop_of(text: str) -> Address | None:
    """The address in an element of X-Forwarded-For, which may have a port; None for whatever else may stand there."""
    found = _HOP.fullmatch(text)
    return address_of(found[found.lastindex or 0]) if found else None


@lru_cache(1024)
def block_of(text: str | None) -> str | None:
    """What one client has of addresses: of IPv6 a network of 64 bits (RFC 6177), of IPv4 the address; else as it is."""
    address = address_of(text) if text is not None else None
    if not isinstance(address, IPv6Address):
        return text
    return str(IPv6Network((int(address) >> 64 << 64, 64)))


def network_of(text: str) -> Network:
    """A network, 10.0.0.0/8, or an address as the network that holds it alone. ValueError."""
    network = ip_network(text)
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        first = network.network_address.ipv4_mapped
        if first is not None:
            return IPv4Network((first, network.prefixlen - _MAPPED_BITS))
    return network


def client_of(direct: str | None, forwarded: str, proxies: Collection[Network]) -> str | None:
    """The client's address: `direct` has connected, and proxies are believed what `forwarded` says, from its end on.

    It is the first one that is no proxy; else the last proxy before what is no address, or before nothing.
    """
    address = address_of(direct) if direct is not None else None
    if address is None:
        return direct
    # RFC 9110, 5.6.1: empty elements of a list count for nothing.
    hops = [text for part in forwarded.split(",") if (text := part.strip())]
    while hops and any(address in network for network in proxies):
        hop = hop_of(hops.pop())
        if hop is None:
            break
        address = hop
    return str(address)
