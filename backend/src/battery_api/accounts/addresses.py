"""Where a request comes from, seen through our own proxies, and the source by which it is counted."""

import ipaddress
from collections.abc import Sequence
from typing import Final

from fastapi import Request

from battery_api.settings import GatewaySettings, IpNetwork

_IPV6_CUSTOMER_BITS: Final = 64  # one customer has a whole /64 and could use a new address for each attempt


def throttled_source(address: str) -> str:
    """Return the source by which attempts are counted: an IPv4 address, or the network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), _IPV6_CUSTOMER_BITS), strict=False))


def client_address(request: Request, settings: GatewaySettings) -> str:
    """Return the caller's address; of forwarded addresses only those that our own proxies wrote count."""
    peer = request.client.host if request.client else "unknown"
    networks, count = settings.trusted_proxy_networks, settings.trusted_proxy_count
    if not networks and not count:
        return peer
    forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
    hops = [part.strip()[:64] for part in forwarded.split(",") if part.strip()]
    if networks:
        return _nearest_stranger([*hops, peer], networks)
    return hops[-count] if len(hops) >= count else peer


def _nearest_stranger(hops: Sequence[str], networks: Sequence[IpNetwork]) -> str:
    """Return the last hop that is no proxy of ours; what lies before it, its sender may have made up."""
    for hop in reversed(hops):
        if not _is_within(hop, networks):
            return hop
    return hops[0]


def _is_within(address: str, networks: Sequence[IpNetwork]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in networks)
