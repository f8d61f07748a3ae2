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
    connection.setblocking(False)
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


def test_two_threads_read_and_write_at_once(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server, client = contexts
    server.sslsocket_class = SealedSocket
    listening = server.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
    silent = socket.create_connection(listening.getsockname())  # it never begins a handshake
    first, _ = listening.accept()
    client.sslsocket_class = SealedSocket
    here = client.wrap_socket(socket.socket())
    connecting = threading.Thread(target=here.connect, args=(listening.getsockname(),))
    connecting.start()
    there, _ = listening.accept()
    assert there.getpeercert() is None  # this context asks for none
    connecting.join()
    data = bytes(range(256)) * 8_000
    arrived: dict[str, bytearray] = {"here": bytearray(), "there": bytearray()}

    def read(end: ssl.SSLSocket, into: bytearray) -> None:
        buffer = bytearray(65_536)
        while len(into) < len(data):
            count = end.recv_into(buffer)
            into += buffer[:count]

    threads = [
        threading.Thread(target=read, args=(here, arrived["here"])),
        threading.Thread(target=read, args=(there, arrived["there"])),
        threading.Thread(target=here.sendall, args=(data,)),
        threading.Thread(target=there.sendall, args=(data,)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert arrived == {"here": data, "there": data}
    here.close()
    assert there.recv_into(bytearray(8)) == 0
    for end in (there, first, silent, listening):
        end.close()
