"""Who sent a request: the address that limits count for, and whether it comes from this machine itself.

Behind a proxy, uvicorn replaces the proxy's address by the last one in ``X-Forwarded-For`` that is not a trusted
proxy's. It trusts proxies on this machine, and those that ``FORWARDED_ALLOW_IPS`` names; others cannot pretend to be
someone else.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Scope

__all__ = ["address_of", "header", "is_local"]

_FORWARDED = {b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"forwarded", b"via"}
_WITH_PORT = re.compile(r"(\d+(?:\.\d+){3}):\d+|\[([^\]]+)\](?::\d+)?")
_IPV6_PREFIX = 64  # what a provider gives one customer


def header(scope: Scope, name: bytes) -> str | None:
    """Return the first header of this name, in lower case; None when there is none."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def address_of(scope: Scope) -> str:
    """Return the address of who sent a request; of IPv6, the network that a provider gives one customer.

    Examples
    --------
    >>> address_of({"client": ("192.0.2.7", 40000)}), address_of({"client": ("2001:db8:1:2:3:4:5:6", 40000)})
    ('192.0.2.7', '2001:db8:1:2::/64')
    """
    host = _host(scope)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
    return str(address)


def is_local(scope: Scope) -> bool:
    """Return whether a program on this machine sent a request itself, and no proxy passed it on."""
    if any(key in _FORWARDED for key, _ in scope["headers"]):
        return False
    try:
        address = ipaddress.ip_address(_host(scope))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _host(scope: Scope) -> str:
    client = scope.get("client")
    host = str(client[0]) if client else "unknown"
    match = _WITH_PORT.fullmatch(host)  # some proxies name the port too, of which each connection has another
    return host if match is None else match[1] or match[2]
