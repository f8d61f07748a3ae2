"""A visitor of a Streamlit server without a browser: it speaks the protocol of the pages over a WebSocket."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

__all__ = ["View", "Visitor"]

_MAX_BYTES = 200 * 2**20


@dataclass
class View:
    """What one run of a page sent.

    Parameters
    ----------
    seconds : float
        Time from the request to the end of the script.
    received : int
        Bytes of its messages.
    elements : list of Element
        Elements that it drew.
    """

    seconds: float = 0.0
    received: int = 0
    elements: list[Element] = field(default_factory=list)

    @property
    def texts(self) -> str:
        """Everything that is written on the page, as the protocol has it."""
        return "\n".join(str(element) for element in self.elements)

    @property
    def errors(self) -> list[str]:
        """Errors that the page shows."""
        alerts = [item.alert for item in self.elements if item.WhichOneof("type") == "alert"]
        shown = [f"{alert.title} {alert.body}" for alert in alerts if alert.format == alert.ERROR]
        return shown + [item.exception.message for item in self.elements if item.WhichOneof("type") == "exception"]

    def button(self, label: str) -> str:
        """Return the id of a button."""
        ids = [
            item.button.id
            for item in self.elements
            if item.WhichOneof("type") == "button" and label in item.button.label
        ]
        return ids[0]


class Visitor:
    """One open page.

    Parameters
    ----------
    url : str
        Address of the server; a certificate is not checked, since this is for servers on this machine.
    host : str, default=""
        Name that requests are sent to, where it is another one than that of the address.
    """

    def __init__(self, url: str, host: str = "") -> None:
        parts = urlsplit(url)
        self._url, self._secure = url, parts.scheme == "https"
        self._address = (parts.hostname or "localhost", parts.port or 80)
        self._host = host or parts.netloc
        self._socket: ClientConnection | None = None
        self._page_hash = ""
        self.cookies: dict[str, str] = {}

    def get(
        self, path: str = "/", method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Send a request; return status, headers and body of its answer, and keep its cookies."""
        if self._secure:
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                *self._address, context=_unchecked(), timeout=60
            )
        else:
            connection = http.client.HTTPConnection(*self._address, timeout=60)
        try:
            sent = {"Host": self._host, "Cookie": self._cookie()} | {
                name.replace("_", "-"): value for name, value in headers.items()
            }
            connection.request(method, path, body, {name: value for name, value in sent.items() if value})
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    self.cookies.update({key: morsel.value for key, morsel in SimpleCookie(value).items()})
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def open(self) -> None:
        """Open the page's WebSocket."""
        scheme = "https" if self._secure else "http"
        self._socket = await connect(
            f"{'wss' if self._secure else 'ws'}://{self._host}/_stcore/stream",
            host=self._address[0],
            port=self._address[1],
            ssl=_unchecked() if self._secure else None,
            additional_headers={"Cookie": self._cookie()},
            origin=f"{scheme}://{self._host}",  # type: ignore[arg-type]
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=_MAX_BYTES,
            open_timeout=60,
        )

    async def close(self) -> None:
        """Close the page."""
        if self._socket is not None:
            await self._socket.close()

    async def view(self, page: str = "", query: str = "", *, press: str = "") -> View:
        """Open an address, or press a button of the page that is open, and wait until the script has run.

        Parameters
        ----------
        page : str, default=""
            Path of the page.
        query : str, default=""
            Query of the address.
        press : str, default=""
            Id of a button.
        """
        assert self._socket is not None
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_name = page
        if press:
            widget = message.rerun_script.widget_states.widgets.add()
            widget.id, widget.trigger_value = press, True
            message.rerun_script.page_script_hash = self._page_hash
        view, began = View(), time.perf_counter()
        await self._socket.send(message.SerializeToString())
        async for data in self._socket:
            assert isinstance(data, bytes)
            view.received += len(data)
            answer = ForwardMsg()
            answer.ParseFromString(data)
            kind = answer.WhichOneof("type")
            if kind == "new_session":
                self._page_hash = answer.new_session.page_script_hash
                view.elements.clear()
            elif kind == "delta":
                view.elements += _elements(answer)
            elif kind == "script_finished" and answer.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                break
        view.seconds = time.perf_counter() - began
        return view


def _elements(answer: ForwardMsg) -> Iterator[Element]:
    if answer.delta.WhichOneof("type") == "new_element":
        yield answer.delta.new_element


def _unchecked() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
