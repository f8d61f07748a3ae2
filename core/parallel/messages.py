"""What a parallel work and the processes that do its items send each other."""

from __future__ import annotations

import pickle
import struct
import traceback
from collections.abc import Callable
from typing import IO, TypeAlias, TypeVar

from core.errors import ErrorRecord, PlumblineError, to_record

__all__ = ["Answer", "answer", "dumps", "read_message", "write_message"]

_SIZE = struct.Struct("<Q")
R = TypeVar("R")
Answer: TypeAlias = tuple[R | None, ErrorRecord | None]
"""The result of a call, or the record of its error."""


def dumps(value: object) -> bytes:
    """Return a value as bytes for another process, also a function that was made within another one."""
    import cloudpickle

    content: bytes = cloudpickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    return content


def answer(function: Callable[..., R], item: object, shared: tuple[object, ...]) -> Answer[R]:
    """Return what a function makes of an item; the traceback of an error that is none of the tree goes to the log."""
    try:
        return function(item, *shared), None
    except Exception as error:  # noqa: BLE001  (raised again where the work was asked for)
        if not isinstance(error, PlumblineError):
            traceback.print_exc()
        return None, to_record(error)


def write_message(stream: IO[bytes], content: bytes) -> None:
    """Write a message with its length."""
    stream.write(_SIZE.pack(len(content)))
    stream.write(content)
    stream.flush()


def read_message(stream: IO[bytes]) -> bytes:
    """Return the next message.

    Raises
    ------
    EOFError
        When the other side is gone.
    """
    (size,) = _SIZE.unpack(_read(stream, _SIZE.size))
    return _read(stream, size)


def _read(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return content
