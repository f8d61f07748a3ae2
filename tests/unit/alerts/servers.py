"""Real servers on loopback ports: one of HTTP that does what a test says, and one of SMTP; settings for their tests."""

from __future__ import annotations

import base64
import contextlib
import email
import email.policy
import ipaddress
import os
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.settings import Settings, get_settings

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Request:
    """A request that a server has received."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Reply:
    """What a server does with a request: it waits, then answers, or closes the connection."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    wait_s: float = 0.0
    closes: bool = False
    drips: bool = False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        hooks = cast("Hooks", self.server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with hooks.lock:
            hooks.requests.append(Request(self.path, dict(self.headers), body))
            reply = hooks.replies.pop(0) if hooks.replies else Reply()
        if hooks.watch is not None:
            hooks.watch()
        hooks.ended.wait(reply.wait_s)
        if reply.closes:
            self.close_connection = True
            return
        if reply.drips:  # a status line that never ends
            while not hooks.ended.wait(0.05):
                self.wfile.write(b"H")
                self.wfile.flush()
            return
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Hooks(ThreadingHTTPServer):
    """A server that keeps what it receives, and answers 200 where no replies are set."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str = HOST, *, port: int = 0, context: ssl.SSLContext | None = None) -> None:
        super().__init__((host, port), _Handler)
        self.requests: list[Request] = []
        self.replies: list[Reply] = []
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.watch: Callable[[], object] | None = None
        self.scheme = "http"
        if context is not None:
            self.scheme = "https"
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def server_bind(self) -> None:
        """Bind without a look-up of this machine's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.port

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.server_address[0]}:{self.port}/hook"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that clients close."""

    def __enter__(self) -> Hooks:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()


@dataclass
class Mail:
    """A mail that a server has taken."""

    sender: str
    recipients: list[str]
    content: bytes
    user: str | None = None
    encrypted: bool = False

    @property
    def message(self) -> EmailMessage:
        return cast(EmailMessage, email.message_from_bytes(self.content, policy=email.policy.default))


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        mails = cast("Mails", self.server)
        self.user: str | None = None
        self.encrypted = False
        if mails.silent:
            mails.ended.wait(5)
            return
        if mails.tls and mails.context is not None:
            self._wrap(mails.context)
        self._say("220 mail.test ready")
        mail = Mail("", [], b"")
        while line := self.rfile.readline().decode("ascii", "replace").strip():
            mails.lines.append(line)
            verb = line.split()[0].upper()
            if verb == "QUIT":
                self._say(mails.answers.get("QUIT", "221 bye"))
                return
            if verb == "DATA":
                self._data(mails, mail)
                mail = Mail("", [], b"")
            elif verb == "STARTTLS" and mails.context is not None:
                self._encrypt(mails.context)
            else:
                self._say(self._answer(mails, verb, line, mail))

    def _answer(self, mails: Mails, verb: str, line: str, mail: Mail) -> str:
        if verb == "EHLO":
            offers = ["mail.test"]
            offers += ["STARTTLS"] if mails.context is not None and not self.encrypted else []
            offers += ["AUTH PLAIN"] if mails.password else []
            return "\r\n".join(f"250{' ' if offer == offers[-1] else '-'}{offer}" for offer in offers)
        if verb == "AUTH":
            _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
            if password != mails.password:
                return f"535 5.7.8 wrong password {password} ({line})"  # as careless servers do
            self.user = user
            return "235 welcome"
        address = line[line.find("<") + 1 : line.find(">")]
        if verb == "MAIL":
            mail.sender = address
            return mails.answers.get("MAIL", "250 ok")
        if verb == "RCPT":
            answer = mails.answers.get(address, "250 ok")
            mail.recipients += [address] if answer.startswith("250") else []
            return answer
        return "250 ok"

    def _data(self, mails: Mails, mail: Mail) -> None:
        self._say("354 go ahead")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        answer = mails.answers.get("DATA", "250 taken")
        if answer.startswith("250"):
            mails.taken.append(Mail(mail.sender, mail.recipients, b"".join(lines), self.user, self.encrypted))
        self._say(answer)

    def _encrypt(self, context: ssl.SSLContext) -> None:
        self._say("220 go ahead")
        self._wrap(context)

    def _wrap(self, context: ssl.SSLContext) -> None:
        self.request = context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        self.encrypted = True

    def finish(self) -> None:
        super().finish()
        self.request.close()  # where it is encrypted, it is not the one that the server knows

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class Mails(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it takes; ``answers`` has what it says to MAIL, DATA, QUIT or a recipient."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(
        self,
        *,
        context: ssl.SSLContext | None = None,
        tls: bool = False,
        password: str = "",
        silent: bool = False,
    ) -> None:
        super().__init__((HOST, 0), _Session)
        self.context, self.tls, self.password, self.silent = context, tls, password, silent
        self.taken: list[Mail] = []
        self.lines: list[str] = []
        self.answers: dict[str, str] = {}
        self.ended = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that clients close."""

    def __enter__(self) -> Mails:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()


def certificate(folder: Path, *names: str) -> tuple[Path, ssl.SSLContext]:
    """Return the file of a certificate for these names, which signs itself, and the context of a server with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    alternatives = [
        x509.IPAddress(ipaddress.ip_address(item)) if item[0].isdigit() else x509.DNSName(item) for item in names
    ]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "server.pem", folder / "server.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


@contextlib.contextmanager
def settings_set(**values: str) -> Iterator[None]:
    """Use settings for what needs no installation: neither a folder nor a catalog."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PLUMBLINE_")]:
            patch.delenv(name)
        patch.setitem(Settings.model_config, "env_file", None)
        for name, value in values.items():
            patch.setenv(f"PLUMBLINE_{name}", value)
        get_settings.cache_clear()
        try:
            yield
        finally:
            get_settings.cache_clear()


def wait_for(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    """Return what a condition is as soon as it holds."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return value
