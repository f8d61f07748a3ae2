"""Hosts: their names and addresses as users and admins write them, and which addresses are not on the internet."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from core.errors import InputError, shortened

__all__ = ["HostRule", "IPAddress", "host_rule", "normalized_host", "special_use"]

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_HOST_CHARS = 253

_SPECIAL: Final[tuple[tuple[str, str], ...]] = (
    ("0.0.0.0/8", "an address of this machine"),
    ("127.0.0.0/8", "an address of this machine"),
    ("::/127", "an address of this machine"),
    ("169.254.169.254/32", "an address of a cloud's metadata"),
    ("168.63.129.16/32", "an address of a cloud's metadata"),
    ("100.100.100.200/32", "an address of a cloud's metadata"),
    ("192.0.0.192/32", "an address of a cloud's metadata"),
    ("fd00:ec2::254/128", "an address of a cloud's metadata"),
    ("fd20:ce::254/128", "an address of a cloud's metadata"),
    ("10.0.0.0/8", "a private address"),
    ("172.16.0.0/12", "a private address"),
    ("192.168.0.0/16", "a private address"),
    ("fc00::/7", "a private address"),
    ("fec0::/10", "a private address"),
    ("100.64.0.0/10", "an address that a provider shares among its customers"),
    ("169.254.0.0/16", "a link-local address"),
    ("fe80::/10", "a link-local address"),
    ("224.0.0.0/4", "an address of a group (multicast)"),
    ("ff00::/8", "an address of a group (multicast)"),
    ("::ffff:0:0/96", "an IPv4 address written as IPv6"),
    ("::ffff:0:0:0/96", "an IPv4 address written as IPv6"),
    ("::/96", "an IPv4 address written as IPv6"),
    ("64:ff9b::/96", "an IPv4 address behind a translation to IPv6 (NAT64)"),
    ("64:ff9b:1::/48", "an IPv4 address behind a translation to IPv6 (NAT64)"),
    ("2002::/16", "an IPv4 address behind a tunnel (6to4)"),
    ("2001::/32", "an IPv4 address behind a tunnel (Teredo)"),
    ("192.88.99.0/24", "an address of a tunnel (6to4)"),
    ("192.0.0.0/24", "a reserved address"),
    ("192.0.2.0/24", "a reserved address"),
    ("198.18.0.0/15", "a reserved address"),
    ("198.51.100.0/24", "a reserved address"),
    ("203.0.113.0/24", "a reserved address"),
    ("240.0.0.0/4", "a reserved address"),
    ("2001::/23", "a reserved address"),
    ("2001:db8::/32", "a reserved address"),
    ("3fff::/20", "a reserved address"),
)
"""Networks whose addresses do not lead to a server on the internet, and what an address in them is: the first counts.

Some of them Python calls global; others depend on its version.
"""
_NETWORKS = [(ipaddress.ip_network(network), words) for network, words in _SPECIAL]
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")


def normalized_host(host: str) -> str | IPAddress:
    """Return a host as it is looked up: a name in small letters, or an address.

    There is one way to write an address. Others, which some programs understand, are refused: parts left out, octal or
    hexadecimal numbers, one number for all. So is what is not ASCII, since some letters stand for digits and dots.

    Parameters
    ----------
    host : str
        Host of an address; an IPv6 address has brackets around it.

    Raises
    ------
    InputError
        When it is not a host.

    Examples
    --------
    >>> normalized_host("Hooks.Example.org."), normalized_host("[::1]")
    ('hooks.example.org', IPv6Address('::1'))
    >>> normalized_host("0x7f.1")
    Traceback (most recent call last):
    core.errors.InputError: '0x7f.1' is not a host. Write an IPv4 address as four decimal numbers, such as 192.0.2.1.
    """
    shown = shortened(host)
    if host.startswith("[") and host.endswith("]"):
        try:
            address = ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            address = None
        if address is None or address.scope_id is not None:
            raise InputError(f"'{shown}' is not an IPv6 address.", "Write it in brackets, such as [2001:db8::1].")
        return address
    if not host.isascii():
        raise InputError(
            f"'{shown}' has characters that names of hosts do not have.",
            "Write the name as it is looked up: an international one begins with xn--.",
        )
    name = host.lower().removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return ipaddress.IPv4Address(name)
        except ValueError:
            raise InputError(
                f"'{shown}' is not a host.", "Write an IPv4 address as four decimal numbers, such as 192.0.2.1."
            ) from None
    if len(name) > _HOST_CHARS or not all(_LABEL.fullmatch(label) for label in labels):
        raise InputError(f"'{shown}' is not the name of a host.", "Write it as in hooks.example.org.")
    return name


def special_use(address: IPAddress) -> str:
    """Return what an address is that does not lead to a server on the internet; empty for one that may.

    Examples
    --------
    >>> special_use(ipaddress.ip_address("10.1.2.3")), special_use(ipaddress.ip_address("8.8.8.8"))
    ('a private address', '')
    >>> special_use(ipaddress.ip_address("::ffff:10.1.2.3"))
    'an IPv4 address written as IPv6'
    """
    for network, words in _NETWORKS:
        if address in network:
            return words
    if not address.is_global or (address.version == 6 and address not in _GLOBAL_IPV6):
        return "a reserved address"
    return ""


@dataclass(frozen=True)
class HostRule:
    """A host, or a network, that admins allow.

    Parameters
    ----------
    host : str
        Name of the host; empty for a network.
    network : network, optional
        Network whose addresses are allowed.
    port : int, optional
        Port that is allowed; by default all are.
    """

    host: str
    network: _Network | None = None
    port: int | None = None

    def allows(self, host: str | IPAddress, address: IPAddress, port: int) -> bool:
        """Return whether a connection may be made.

        Parameters
        ----------
        host : str or address
            Host as it was written.
        address : address
            Address that it leads to.
        port : int
            Port of the connection.
        """
        if self.port is not None and self.port != port:
            return False
        return address in self.network if self.network is not None else host == self.host


def host_rule(text: str) -> HostRule:
    """Return the rule that an admin wrote: a host, a host with a port, or a network.

    Raises
    ------
    InputError
        When it is none of them.

    Examples
    --------
    >>> host_rule("Hooks.internal:8080")
    HostRule(host='hooks.internal', network=None, port=8080)
    >>> host_rule("10.1.0.0/16").network
    IPv4Network('10.1.0.0/16')
    """
    if "/" in text:
        try:
            return HostRule("", ipaddress.ip_network(text))
        except ValueError as error:
            raise InputError(f"'{shortened(text)}' is not a network: {error}.", "Write it as in 10.1.0.0/16.") from None
    bare = re.fullmatch(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", text)  # an IPv6 address has two colons
    written, port = (f"[{text}]", None) if bare else _without_port(text)
    host = normalized_host(written)
    if isinstance(host, str):
        return HostRule(host, port=port)
    return HostRule("", ipaddress.ip_network(host), port)


def _without_port(text: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?", text)
    if match is None or int(match[2] or 1) not in range(1, 65_536):
        raise InputError(f"'{shortened(text)}' is not a host with a port.", "Write it as in hooks.internal:8080.")
    return match[1], int(match[2]) if match[2] else None
