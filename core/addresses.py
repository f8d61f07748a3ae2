"""Addresses of servers that users give, such as that of a webhook: which are taken, and where they lead.

In the profiles team and demo, what users name has to be on the internet: otherwise they would reach, by way of the
server, what only its own network reaches. Admins list exceptions (``PLUMBLINE_OUTBOUND_HOSTS``). An address is checked
after its name was looked up, and a connection goes to exactly what was checked (`core.outgoing`).
"""

from __future__ import annotations

import ipaddress
import re
import socket
import string
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from core.access import profile
from core.errors import DeniedError, InputError, RemoteError
from core.hosts import HostRule, IPAddress, host_rule, normalized_host, special_use
from core.settings import get_settings

__all__ = ["LOOKUP_S", "WebAddress", "allowed_ips", "check_reachable", "look_up", "web_address"]

LOOKUP_S: Final = 5.0
"""Seconds that looking up a name may take."""
_PORTS = {"http": 80, "https": 443}
_URL_CHARS = 2_000
_SCHEME_CHARS = 12


@dataclass(frozen=True)
class WebAddress:
    """An address of a server that speaks HTTP, in its parts.

    Parameters
    ----------
    scheme : {"http", "https"}
        Protocol.
    host : str or IP address
        Name of the host, or its address.
    port : int
        Port.
    target : str
        Path and query.
    """

    scheme: str
    host: str | IPAddress
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port, as the header ``Host`` has them."""
        host = f"[{self.host}]" if isinstance(self.host, ipaddress.IPv6Address) else str(self.host)
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The address without path and query, which may hold a secret."""
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.origin}{self.target}"


def web_address(url: str) -> WebAddress:
    """Return the parts of an address that a user gave, written in one way.

    Nothing of it is repeated in the error but its host and its scheme: a path may hold a secret.

    Raises
    ------
    InputError
        When it is not an address of HTTP, or holds a user or a password.

    See Also
    --------
    allowed_ips : Where it leads.

    Examples
    --------
    >>> web_address("https://Hooks.Example.org:443/a?b=c").url
    'https://hooks.example.org/a?b=c'
    >>> web_address("file:///etc/passwd")
    Traceback (most recent call last):
    core.errors.InputError: An address that begins with 'file:' cannot be used. Write one that begins with https:// ...
    """
    url = url.strip()
    _check_characters(url)
    scheme, host, port, parts = _split(url)
    if host is None:
        raise InputError("The address names no host.", "Write it as in https://hooks.example.org/path.")
    target = quote(parts.path or "/", safe=string.punctuation)
    if parts.query:
        target += f"?{quote(parts.query, safe=string.punctuation)}"
    return WebAddress(scheme, host, _PORTS[scheme] if port is None else port, target)


def _check_characters(url: str) -> None:
    if len(url) > _URL_CHARS:
        raise InputError(f"The address has {len(url):,} characters.", f"It may have {_URL_CHARS:,}.")
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", url)
    if scheme is None or scheme[1].lower() not in _PORTS:
        # What is longer than the name of a scheme may be a secret in the wrong field.
        shown = scheme is not None and len(scheme[0]) <= _SCHEME_CHARS
        said = f"An address that begins with '{url[: url.index(':') + 1]}'" if shown else "An address without a scheme"
        raise InputError(f"{said} cannot be used.", "Write one that begins with https:// or http://.")
    if not url.isprintable() or " " in url or "\\" in url:
        raise InputError(
            "The address has blanks, backslashes or characters that cannot be seen.",
            "Copy it again, or write such characters with %.",
        )


def _split(url: str) -> tuple[str, str | IPAddress | None, int | None, SplitResult]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InputError("The host or port of the address cannot be read.", "Write it as in host:8080.") from None
    if "@" in parts.netloc:
        raise InputError(
            "The address holds a user or a password.",
            "Leave them out: credentials are named, and their values are set on the server.",
        )
    if port == 0:
        raise InputError("An address cannot have the port 0.", "Write the port of the server, or leave it out.")
    host = re.sub(r":[0-9]*\Z", "", parts.netloc)
    return parts.scheme, normalized_host(host) if host else None, port, parts


def allowed_ips(address: WebAddress, *, timeout_s: float = LOOKUP_S) -> tuple[IPAddress, ...]:
    """Return where an address leads, once that was checked. Connect to these, and to nothing that is looked up later.

    Parameters
    ----------
    address : WebAddress
        Address that a user gave.
    timeout_s : float, default=5.0
        Seconds that the lookup may take.

    Raises
    ------
    DeniedError
        When one of them may not be reached in this profile. The message does not say which one a name leads to.
    RemoteError
        When the name does not exist, or cannot be looked up in time.
    """
    host = address.host
    ips = look_up(host, address.port, timeout_s) if isinstance(host, str) else [host]
    installed = profile()
    if installed.signs_in or installed.visitors:
        rules = _rules(get_settings().outbound_hosts)
        for ip in ips:
            words = special_use(ip)
            if words and not any(rule.allows(host, ip, address.port) for rule in rules):
                raise _refused(address, words)
    return tuple(ips)


def check_reachable(url: str) -> WebAddress:
    """Return the parts of an address that may be used here, as far as is known now.

    A name that cannot be looked up at the moment is taken: it is checked again when it is used.

    Raises
    ------
    DeniedError
        When it may not be reached in this profile.
    InputError
        When it is not an address of HTTP.
    """
    address = web_address(url)
    try:
        allowed_ips(address)
    except RemoteError:
        return address
    return address


@lru_cache(maxsize=8)
def _rules(hosts: tuple[str, ...]) -> tuple[HostRule, ...]:
    return tuple(map(host_rule, hosts))


def _refused(address: WebAddress, words: str) -> DeniedError:
    verb = "leads to" if isinstance(address.host, str) else "is"
    return DeniedError(
        f"{address.host} {verb} {words}, which is not reached from here.",
        f"Use a server on the internet. Whoever runs this server may list {address.authority} in "
        "PLUMBLINE_OUTBOUND_HOSTS.",
    )


def look_up(host: str, port: int, timeout_s: float = LOOKUP_S) -> list[IPAddress]:
    """Return the addresses of a name, within a time: the system's own lookup, which has no limit, works in a thread.

    Parameters
    ----------
    host : str
        Name of the host.
    port : int
        Port of the connection.
    timeout_s : float, default=5.0
        Seconds that it may take.

    Raises
    ------
    RemoteError
        When the name does not exist, or cannot be looked up in time.
    """
    answers: list[IPAddress] = []
    problems: list[str] = []

    def ask() -> None:
        try:
            for _, _, _, _, sockaddr in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                ip = ipaddress.ip_address(sockaddr[0])
                if ip not in answers:
                    answers.append(ip)
        except (OSError, ValueError) as error:
            problems.append(getattr(error, "strerror", None) or "it has no address that can be used")

    thread = threading.Thread(target=ask, name="plumbline-lookup", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if thread.is_alive():
        raise RemoteError(f"{host} could not be looked up within {timeout_s:g} s.", "Try again later.")
    if problems or not answers:
        reason = problems[0] if problems else "it has no address"
        raise RemoteError(f"{host} could not be looked up: {reason}.", "Check the name.")
    return answers
