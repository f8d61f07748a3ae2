"""The transport: cells of NVFLARE over mutual TLS, through which nothing passes but the bytes of our own messages.

A cell trusts more than a study can: its server forwards messages from one site to another, a header says who sent a
message, another one asks the receiver to decode objects, and a third has it connect to an address. `Gate` stands
before the cell and drops every message that uses any of this, whatever its type.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError, RemoteError, shortened
from core.federated.network.certificates import SERVER, Certificate, write_private
from core.federated.network.sealed_socket import seal_connections
from core.federated.protocol.message import Arrays, decode, encode
from core.jsonable import JsonObject

if TYPE_CHECKING:
    from nvflare.fuel.f3.cellnet.core_cell import CoreCell
    from nvflare.fuel.f3.message import Message

__all__ = ["CHANNEL", "Handler", "StudyCell"]

Handler = Callable[[str, JsonObject, Arrays], tuple[JsonObject, Arrays]]
"""``handler(sender, content, arrays)`` returns the content and the arrays of the answer."""
CHANNEL = "plumbline"
_SENDERS, _LOST_S = 500, 0.1
_log = logging.getLogger(__name__)


class _Gate:
    """Receives the messages of a cell, and passes on those that are allowed.

    Parameters
    ----------
    cell : CoreCell
        The cell.
    name : str
        Name of the cell.
    peers : set of str or None
        Names of those who may send to it; None: each whose certificate the study's authority has signed.
    """

    def __init__(self, cell: CoreCell, name: str, peers: set[str] | None) -> None:
        self._cell, self._name, self._peers = cell, name, peers

    def process_message(self, endpoint: Any, connection: Any, app_id: int, message: Message) -> None:
        """Pass a message on, or drop it with a line in the log."""
        reason = self._refusal(connection.get_conn_properties(), message)
        if reason:
            _log.warning("A message was dropped: %s", shortened(reason, 200))
            return
        self._cell.process_message(endpoint, connection, app_id, message)

    def _refusal(self, connection: dict[str, Any], message: Message) -> str:
        from nvflare.fuel.f3.cellnet.defs import CellChannel, CellChannelTopic, Encoding, MessageHeaderKey, MessageType
        from nvflare.fuel.f3.drivers.driver_params import DriverParams

        peer = connection.get(DriverParams.PEER_CN.value)
        header = message.get_header
        keys = (MessageHeaderKey.ORIGIN, MessageHeaderKey.CHANNEL, MessageHeaderKey.TOPIC)
        sender, channel, topic = (header(key) for key in keys)
        if not peer or sender != peer or header(MessageHeaderKey.FROM_CELL) != peer:
            return f"it came from '{peer}' under the name '{sender}'"
        if self._peers is not None and peer not in self._peers:
            return f"'{peer}' may not send to '{self._name}'"
        if header(MessageHeaderKey.DESTINATION) != self._name:
            return f"'{peer}' sent it to '{header(MessageHeaderKey.DESTINATION)}'"
        if header(MessageHeaderKey.MSG_TYPE) not in (MessageType.REQ, MessageType.REPLY):
            return f"its type is '{header(MessageHeaderKey.MSG_TYPE)}'"
        goodbye = channel == CellChannel.CELLNET and topic == CellChannelTopic.Bye and not message.payload
        if channel != CHANNEL and not goodbye:
            return f"its channel is '{channel}', its topic '{topic}'"
        encoding = header(MessageHeaderKey.PAYLOAD_ENCODING)
        if encoding not in (None, Encoding.BYTES, Encoding.NONE) or header(MessageHeaderKey.CONN_URL):
            return f"its encoding is '{encoding}'"
        return ""


class StudyCell:
    """One end of a study's network.

    Parameters
    ----------
    name : str
        Name: `SERVER`, or that of the site, as in the certificate.
    address : str
        Host and port at which the server listens.
    authority : str
        Certificate of the study's authority, in PEM.
    own : Certificate
        Certificate and key of this end.
    folder : Path
        Private folder to which both are written, because TLS reads them from files.

    Raises
    ------
    RemoteError
        When nothing can listen at the address.
    """

    def __init__(self, name: str, address: str, authority: str, own: Certificate, folder: Path) -> None:
        from nvflare.fuel.f3.cellnet.core_cell import CoreCell
        from nvflare.fuel.f3.drivers.driver_params import DriverParams

        logging.getLogger("nvflare").setLevel(logging.CRITICAL)
        seal_connections()
        self.name = name
        serves = name == SERVER
        paths = {"authority": folder / "authority.pem", "own": folder / "own.pem", "key": folder / "own.key"}
        for key, text in (("authority", authority), ("own", own.certificate), ("key", own.key)):
            write_private(paths[key], text.encode())
        credentials = {
            DriverParams.CA_CERT.value: str(paths["authority"]),
            (DriverParams.SERVER_CERT if serves else DriverParams.CLIENT_CERT).value: str(paths["own"]),
            (DriverParams.SERVER_KEY if serves else DriverParams.CLIENT_KEY).value: str(paths["key"]),
            DriverParams.CONNECTION_SECURITY.value: "mtls",
        }
        self._handlers: dict[str, Handler] = {}
        self._senders = ThreadPoolExecutor(max_workers=_SENDERS)
        self._cell = CoreCell(fqcn=name, root_url=f"tcp://{address}", secure=True, credentials=credentials)
        gate = _Gate(self._cell, name, None if serves else {SERVER})
        self._cell.communicator.conn_manager.receivers[CoreCell.APP_ID] = gate

    def on(self, topic: str, handler: Handler) -> None:
        """Answer messages of a topic by a function."""

        def answer(message: Message) -> Message:
            from nvflare.fuel.f3.cellnet.defs import MessageHeaderKey, ReturnCode
            from nvflare.fuel.f3.cellnet.utils import make_reply

            try:
                content, arrays = decode(bytes(message.payload))
            except (InputError, TypeError):
                return make_reply(ReturnCode.INVALID_REQUEST)
            answered = handler(str(message.get_header(MessageHeaderKey.ORIGIN)), content, arrays)
            return make_reply(ReturnCode.OK, body=encode(*answered))

        self._cell.register_request_cb(CHANNEL, topic, answer)

    def start(self) -> None:
        """Listen, or connect; a site tries until the server is there."""
        try:
            self._cell.start()
        except Exception as error:
            raise RemoteError(f"The network of '{self.name}' cannot start ({error}).", "Check the address.") from error

    def stop(self) -> None:
        """Say goodbye to the others, and end."""
        self._cell.stop()
        self._senders.shutdown(wait=False)

    def reaches(self, name: str) -> bool:
        """Return whether there is a connection to another cell."""
        return bool(self._cell.is_cell_connected(name))

    def send(
        self, name: str, topic: str, content: JsonObject, arrays: Arrays | None = None, *, timeout_s: float
    ) -> tuple[JsonObject, Arrays] | None:
        """Send a message, and return the answer.

        Parameters
        ----------
        name : str
            Name of the receiver.
        topic : str
            Topic.
        content : dict
            Values that JSON has.
        arrays : dict of str to array, optional
            Arrays by name.
        timeout_s : float
            Seconds after which no answer is awaited any more.

        Returns
        -------
        tuple of dict and dict of arrays, or None
            None where no answer came, or one that is not a message, or the connection was lost.
        """
        from nvflare.fuel.f3.cellnet.defs import MessageHeaderKey, ReturnCode
        from nvflare.fuel.f3.message import Message

        if not self.reaches(name):
            return None
        message = Message({}, encode(content, arrays or {}))
        sending = self._senders.submit(
            self._cell.send_request, CHANNEL, topic, name, message, timeout=timeout_s, optional=True
        )
        while not wait([sending], timeout=_LOST_S).done:
            if not self.reaches(name):  # the cell itself would wait until the time is up
                return None
        reply = sending.result()
        header = reply.get_header
        if header(MessageHeaderKey.RETURN_CODE) != ReturnCode.OK or header(MessageHeaderKey.ORIGIN, name) != name:
            return None
        try:
            return decode(bytes(reply.payload))
        except (InputError, TypeError):
            return None
