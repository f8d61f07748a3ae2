"""Connections that are closed while another thread sends."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from pathlib import Path

import pytest

from core.federated.network.certificates import Authority
from core.federated.network.sealed_socket import SealedSocket


@pytest.fixture
def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = Authority.create("0")
    own = authority.for_server("127.0.0.1")
    (tmp_path / "own.pem").write_text(own.certificate + own.key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "own.pem")
    client = ssl.create_default_context(cadata=authority.own.certificate)
    client.check_hostname = False
    client.sslsocket_class = SealedSocket
    return server, client


def send_while_closing(server: ssl.SSLContext, client: ssl.SSLContext) -> bytes:
    """Close a connection while a thread sends, and return the bytes that arrived."""
    here, there = socket.socketpair()
    ends: list[ssl.SSLSocket] = []
    accepting = threading.Thread(target=lambda: ends.append(server.wrap_socket(there, server_side=True)))
    accepting.start()
    connection = client.wrap_socket(here)
    accepting.join()
    arrived, sending = bytearray(), threading.Event()

    def read() -> None:
        with contextlib.suppress(OSError):
            while chunk := socket.socket.recv(ends[0], 65_536):
                arrived.extend(chunk)

    def write() -> None:
        with contextlib.suppress(OSError, ValueError):
            while True:
                connection.send(b"plain text" * 100)
                sending.set()

    threads = [threading.Thread(target=read), threading.Thread(target=write)]
    for thread in threads:
        thread.start()
    sending.wait(5)
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
    for thread in threads:
        thread.join()
    ends[0].close()
    return bytes(arrived)


def test_nothing_is_sent_in_clear_while_a_connection_closes(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    for _ in range(100):
        assert b"plain text" not in send_while_closing(*contexts)


def test_a_closed_connection_sends_nothing(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    here, there = socket.socketpair()
    with here, there, contexts[1].wrap_socket(here, do_handshake_on_connect=False) as connection:
        connection._sslobj = None  # as Python's own shutdown leaves it
        with pytest.raises(BrokenPipeError):
            connection.send(b"plain text")
        with pytest.raises(BrokenPipeError):
            connection.sendall(b"plain text")
