"""Requests to servers that users name: to the checked address and no other, within a time limit, without a proxy."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from core.addresses import LOOKUP_S, WebAddress, allowed_ips, web_address
from core.errors import RemoteError

__all__ = ["ANSWER_S", "Answer", "TimeLimit", "post"]

ANSWER_S: Final = 10.0
"""Seconds that a request may take, from looking up the name to the answer."""
_EARLY_S = 0.02


class TimeLimit:
    """Time that a conversation with a server may take, however slowly its bytes come.

    The time limit of a socket begins anew with each byte; at the end of this one the connection is closed.

    Parameters
    ----------
    seconds : float
        Seconds from now on.

    Examples
    --------
    >>> with TimeLimit(60) as limit:
    ...     limit.passed, 59 < limit.remaining() <= 60
    (False, True)
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends = time.monotonic() + seconds
        self._watched: socket.socket | None = None
        self._timer: threading.Timer | None = None

    def remaining(self) -> float:
        """Return the seconds that are left.

        Raises
        ------
        TimeoutError
            When there are none.
        """
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    @property
    def passed(self) -> bool:
        """Whether the time is over, or as good as over: sockets end a little sooner or later."""
        return time.monotonic() > self._ends - _EARLY_S

    def watch(self, connection: socket.socket) -> None:
        """Close a connection at the end of the time. Encryption may be laid over it afterwards."""
        self._release()
        # Not `dup`, which an encrypted one does not have.
        self._watched = socket.socket(fileno=os.dup(connection.fileno()))
        self._timer = threading.Timer(self.remaining(), self._end)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        if self._watched is not None:
            try:
                self._watched.shutdown(socket.SHUT_RDWR)
            except OSError:  # it was closed in this moment
                return

    def __enter__(self) -> TimeLimit:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _release(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        if self._watched is not None:
            self._watched.close()


@dataclass(frozen=True)
class Answer:
    """What a server answered. Its body is not read.

    Parameters
    ----------
    status : int
        Status of HTTP.
    retry_after : str, default=""
        Value of the header ``Retry-After``.
    """

    status: int
    retry_after: str = ""


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float = ANSWER_S) -> Answer:
    """Send a body to an address that a user gave, and return the answer.

    Redirects are not followed: what was sent is for the address that was given and checked, and a redirect (301 to 303)
    would turn it into a request without a body anyway. The body of the answer is not read, so that nobody learns by it
    what a server says that they cannot reach themselves, and it may be as long as it likes.

    Parameters
    ----------
    url : str
        Address.
    body : bytes
        Body of the request.
    headers : mapping of str to str
        Headers of the request.
    timeout_s : float, default=10.0
        Seconds that all of it may take.

    Raises
    ------
    DeniedError
        When the address may not be reached in this profile.
    InputError
        When it is not an address of HTTP.
    RemoteError
        When the server does not answer. The message names host and port alone.
    """
    address = web_address(url)
    with TimeLimit(timeout_s) as limit:
        connection: _Connection | None = None
        try:
            connection = _Connection(address, limit)
            own = {"Host": address.authority, "User-Agent": "Plumbline", "Connection": "close"}
            connection.request("POST", address.target, body, {**headers, **own})
            response = connection.getresponse()
            return Answer(response.status, response.headers.get("Retry-After", ""))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _no_answer(address, error, limit) from None  # their texts may hold headers
        finally:
            if connection is not None:
                connection.close()


class _Connection(http.client.HTTPConnection):
    """A connection to a checked address, under the name that was asked for."""

    def __init__(self, address: WebAddress, limit: TimeLimit) -> None:
        super().__init__(str(address.host), address.port)
        self._address = address
        self._limit = limit

    def connect(self) -> None:
        """Connect to the addresses that were checked, in their order, until one of them answers."""
        problem: OSError = OSError()
        ips = allowed_ips(self._address, timeout_s=min(LOOKUP_S, self._limit.remaining()))
        for index, ip in enumerate(ips):
            family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(self._limit.remaining() / (len(ips) - index))  # the next one may answer
                connection.connect((str(ip), self._address.port))
                connection.settimeout(self._limit.remaining())
                self._limit.watch(connection)
                self.sock = connection if self._address.scheme == "http" else self._encrypted(connection)
                return
            except OSError as error:
                connection.close()
                problem = error
                if isinstance(error, ssl.SSLError):
                    break
        raise problem

    def _encrypted(self, connection: socket.socket) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        return context.wrap_socket(connection, server_hostname=str(self._address.host))


def _no_answer(address: WebAddress, error: Exception, limit: TimeLimit) -> RemoteError:
    """Return what is said of a server that does not answer: in our words, because theirs are not known."""
    hint = "Check that the server runs and can be reached from here."
    if limit.passed or isinstance(error, TimeoutError):
        return RemoteError(f"{address.origin} did not answer within {limit.seconds:g} s.", hint)
    if isinstance(error, ssl.SSLCertVerificationError):
        return RemoteError(
            f"The certificate of {address.origin} is not trusted: {error.verify_message.rstrip('.')}.",
            "Renew it, or let the server trust who signed it (SSL_CERT_FILE).",
        )
    if isinstance(error, ssl.SSLError):
        return RemoteError(f"{address.origin} does not speak TLS as it should.", "Check the port and the scheme.")
    if isinstance(error, ConnectionRefusedError):
        return RemoteError(f"{address.origin} refuses connections.", hint)
    if isinstance(error, ConnectionError):
        return RemoteError(f"{address.origin} closed the connection before it answered.", hint)
    if isinstance(error, http.client.HTTPException | ValueError):
        return RemoteError(f"{address.origin} does not speak HTTP as it should.", "Check the port and the scheme.")
    reason = error.strerror if isinstance(error, OSError) else None
    return RemoteError(f"{address.origin} cannot be reached: {reason or 'no reason is known'}.", hint)
