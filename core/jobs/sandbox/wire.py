"""Messages between a sandboxed worker and its monitor: JSON with a length in front, and at most one open file.

Rows, events, sets and tuples travel as tagged objects. Nothing is unpickled, and no name of a class is looked up except
among those listed here.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, JsonValue

from core.catalog import (
    Alert,
    Dataset,
    DatasetChange,
    Model,
    ModelEvent,
    ModelVersion,
    MonitorPlan,
    PipelineComponent,
    PipelineStep,
    Run,
    RunArtifact,
    RunEvent,
    SavedPipeline,
    Schedule,
)
from core.errors import JobError
from core.jsonable import JsonObject, jsonable
from core.progress import Event

__all__ = ["MAX_MESSAGE_BYTES", "decode", "encode", "receive", "send"]

MAX_MESSAGE_BYTES = 64 << 20
"""Length of the longest message."""
_LENGTH = struct.Struct("!I")
_TAG = "$type"
_ROWS = {
    row.__name__: row
    for row in (
        Alert,
        Dataset,
        DatasetChange,
        Model,
        ModelEvent,
        ModelVersion,
        MonitorPlan,
        PipelineComponent,
        PipelineStep,
        Run,
        RunArtifact,
        RunEvent,
        SavedPipeline,
        Schedule,
    )
}


def encode(value: Any) -> JsonValue:
    """Return a value as JSON, with tags for what JSON does not have.

    Raises
    ------
    JobError
        When a value is of a type that does not travel.
    """
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return str(value)
        case list():
            return [encode(item) for item in value]
        case tuple() | set() | frozenset():
            return {_TAG: "tuple" if isinstance(value, tuple) else "set", "items": [encode(item) for item in value]}
        case dict() if all(isinstance(key, str) for key in value):
            encoded = {str(key): encode(item) for key, item in value.items()}
            return {_TAG: "dict", "values": encoded} if _TAG in value else encoded
        case Event():
            return {_TAG: "Event", "values": encode(jsonable(asdict(value)))}
        case _ if type(value) in _ROWS.values():
            return {_TAG: type(value).__name__, "values": encode(value.model_dump())}
        case BaseModel():
            return encode(value.model_dump(mode="json"))
    raise JobError(f"A value of the type '{type(value).__name__}' does not pass between a sandbox and its monitor.")


def decode(value: JsonValue) -> Any:
    """Return the value that `encode` described.

    Raises
    ------
    JobError
        When a tag is unknown, or a row or an event has no such fields.
    """
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _TAG not in value:
        return {key: decode(item) for key, item in value.items()}
    items, values = value.get("items"), value.get("values")
    try:
        match value[_TAG]:
            case "tuple" if isinstance(items, list):
                return tuple(decode(item) for item in items)
            case "set" if isinstance(items, list):
                return {decode(item) for item in items}
            case "dict" if isinstance(values, dict):
                return {key: decode(item) for key, item in values.items()}
            case "Event" if isinstance(values, dict):
                return Event(**decode(values))
            case str() as name if name in _ROWS and isinstance(values, dict):
                return _ROWS[name].model_validate(decode(values))
    except (TypeError, ValueError) as error:
        raise JobError(f"A message has a damaged '{value[_TAG]}'.") from error
    raise JobError(f"A message has the unknown type '{str(value[_TAG])[:80]}'.")


def send(connection: socket.socket, message: JsonObject, file: int | None = None) -> None:
    """Send a message, and with it an open file.

    Raises
    ------
    JobError
        When it is too long.
    """
    text = json.dumps(message).encode()
    if len(text) > MAX_MESSAGE_BYTES:
        raise JobError(f"A message of {len(text):,} bytes is too long; at most {MAX_MESSAGE_BYTES:,} pass.")
    header = _LENGTH.pack(len(text))
    if file is None:
        connection.sendall(header)
    else:
        sent = socket.send_fds(connection, [header], [file])
        connection.sendall(header[sent:])
    connection.sendall(text)


def receive(
    connection: socket.socket, take: Callable[[int], None] | None = None
) -> tuple[JsonObject, int] | tuple[None, int]:
    """Return the next message and its length in bytes; None when the other side is gone.

    Parameters
    ----------
    connection : socket
        The connection.
    take : callable, optional
        Called with the open file that came with the message, which it has to close; without it none is taken.

    Raises
    ------
    JobError
        When the message is too long or not JSON.
    """
    header = b""
    files: list[int] = []
    while len(header) < _LENGTH.size:
        part, received, _, _ = socket.recv_fds(connection, _LENGTH.size - len(header), 1 if take else 0)
        files += received
        if not part:
            _close(files)
            return None, 0
        header += part
    try:
        (length,) = _LENGTH.unpack(header)
        if length > MAX_MESSAGE_BYTES or len(files) > 1:
            raise JobError(f"A message of {length:,} bytes with {len(files)} files is refused.")
        text = _read(connection, length)
        if text is None:
            _close(files)
            return None, 0
        message = json.loads(text)
        if not isinstance(message, dict):
            raise JobError("A message is not a JSON object.")
    except (ValueError, RecursionError) as error:
        _close(files)
        raise JobError("A message is not JSON.") from error
    except JobError:
        _close(files)
        raise
    if files and take is not None:
        take(files[0])
    return message, length


def _read(connection: socket.socket, length: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < length:
        part = connection.recv(min(length - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _close(files: list[int]) -> None:
    for file in files:
        os.close(file)
