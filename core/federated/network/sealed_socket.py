"""TLS sockets that send nothing in clear and let no stranger hold up the server.

Python's `ssl.SSLSocket` drops its encryption before it shuts down, so a thread that sends at that moment sends plain
text; NVFLARE closes connections from one thread while others send. OpenSSL allows one thread at a time in a connection,
and NVFLARE reads and writes in two. `ssl.SSLSocket` also makes the handshake of a new connection
before it accepts the next one, so one that says nothing would keep all sites out.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["SealedSocket", "seal_connections"]

_HANDSHAKE_S = 10.0
_POLL_MS = 1_000
_log = logging.getLogger(__name__)


class SealedSocket(ssl.SSLSocket):
    """A TLS socket whose bytes are encrypted until it is closed, and which accepts without waiting for a handshake."""

    _sslobj: Any
    _turn: threading.Lock

    def __new__(cls, *_: Any, **__: Any) -> SealedSocket:
        made = super().__new__(cls)
        made._turn = threading.Lock()
        return made

    def send(self, data: Any, flags: int = 0) -> int:
        return int(self._in_turn(lambda tls: tls.write(data)))

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        count = len(buffer) if nbytes is None else nbytes
        try:
            return int(self._in_turn(lambda tls: tls.read(count, buffer)))
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return 0

    def _in_turn(self, call: Callable[[Any], int]) -> int:
        """Call a function of the encryption while no other thread is in it, and wait outside of that."""
        while True:
            with self._turn:
                tls = self._sslobj
                if tls is None:
                    raise BrokenPipeError("The connection is closed.")
                try:
                    return call(tls)
                except ssl.SSLWantReadError:
                    event = select.POLLIN
                except ssl.SSLWantWriteError:
                    event = select.POLLOUT
            waiting = select.poll()
            try:
                waiting.register(self.fileno(), event)
            except ValueError as error:
                raise BrokenPipeError("The connection is closed.") from error
            waiting.poll(_POLL_MS)

    def connect(self, address: Any) -> None:
        self.settimeout(_HANDSHAKE_S)
        super().connect(address)
        self.setblocking(False)

    def sendall(self, data: Any, flags: int = 0) -> None:
        with memoryview(data) as view, view.cast("B") as rest:
            sent = 0
            while sent < len(rest):
                sent += self.send(rest[sent:])

    def shutdown(self, how: int) -> None:
        socket.socket.shutdown(self, how)

    def _real_close(self) -> None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self, socket.SHUT_RDWR)
        super()._real_close()  # type: ignore[misc]

    def accept(self) -> tuple[ssl.SSLSocket, Any]:
        plain, address = socket.socket.accept(self)
        return self.context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address

    def getpeercert(self, binary_form: bool = False) -> Any:
        """Return the other side's certificate, after the handshake, which is made in the thread of the connection."""
        if self.server_side and self.version() is None:
            self.settimeout(_HANDSHAKE_S)
            self.do_handshake()
            self.setblocking(False)
        return super().getpeercert(binary_form)


def seal_connections() -> None:
    """Have NVFLARE use these sockets, of TLS 1.3, for every connection that it makes from now on."""
    from nvflare.fuel.f3.drivers import net_utils, tcp_driver

    def sealed_context(params: dict[str, Any], ssl_server: bool = False) -> ssl.SSLContext:
        context: ssl.SSLContext | None = net_utils.get_ssl_context(params, ssl_server)
        if context is None:
            raise ssl.SSLError("A study has no connections without TLS.")
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.sslsocket_class = SealedSocket
        return context

    def handle_error(server: Any, request: Any, client_address: Any) -> None:
        _log.info("A connection from %s was refused.", client_address[0])

    tcp_driver.get_ssl_context = sealed_context
    tcp_driver.TcpStreamServer.handle_error = handle_error
