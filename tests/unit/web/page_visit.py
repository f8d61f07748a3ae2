"""A visit without a browser: the WebSocket of a page, and what a run of its script says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
from websockets.sync.client import ClientConnection, connect


class PageVisit:
    """An open page."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def run(self, query: str = "") -> str:
        """Run the script once, and return all that it sent, as text."""
        message = BackMsg()
        message.rerun_script.query_string = query
        self._connection.send(message.SerializeToString())
        said = []
        while True:
            answer = ForwardMsg.FromString(bytes(self._connection.recv(60)))  # type: ignore[arg-type]
            said.append(str(answer))
            if answer.WhichOneof("type") == "script_finished":
                return "\n".join(said)


@contextmanager
def visit(url: str, cookies: dict[str, str]) -> Iterator[PageVisit]:
    """Open the page of a server with these cookies."""
    token = generate_xsrf_token_string()  # cookies count only for pages that know it, which those of other sites do not
    header = "; ".join(f"{name}={value}" for name, value in {**cookies, "_streamlit_xsrf": token}.items())
    with connect(
        f"ws://{urlsplit(url).netloc}/_stcore/stream",
        origin=url,  # type: ignore[arg-type]
        subprotocols=["streamlit", token],  # type: ignore[list-item]
        additional_headers={"Cookie": header},
        max_size=None,
    ) as connection:
        yield PageVisit(connection)
