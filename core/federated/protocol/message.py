"""Requests of a coordinator and replies of a site, and the bytes that they are between machines.

A message is JSON and arrays of a few plain types. Nothing in it is code, and nothing in it names code: a site looks
up the kind of a request in a registry of its own.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.jsonable import JsonObject

__all__ = ["Arrays", "Reply", "Request", "decode", "encode", "size_in_bytes"]

Arrays = dict[str, NDArray[Any]]
"""Arrays of a message by name."""

_TYPES = ("<f8", "<f4", "<i8", "<i4", "<u8", "|u1")
_MAGIC = b"PLF1"
_HEADER = struct.Struct("<4sI")
_MAX_HEADER = 64 * 2**20


@dataclass(frozen=True)
class Request:
    """A question that a coordinator asks sites.

    Parameters
    ----------
    number : int
        Number of the request within its study, from 1.
    kind : str
        Key of `MESSAGES`.
    content : dict, default={}
        Values that JSON has.
    arrays : dict of str to array, default={}
        Arrays by name.
    """

    number: int
    kind: str
    content: JsonObject = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What leaves a site.

    Parameters
    ----------
    content : dict, default={}
        Values that JSON has.
    arrays : dict of str to array, default={}
        Arrays by name.
    """

    content: JsonObject = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)


def _header(content: JsonObject, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    described = [[name, _type_name(array), list(array.shape)] for name, array in arrays.items()]
    return json.dumps([content, described], allow_nan=False).encode()


def _type_name(array: NDArray[Any]) -> str:
    name = array.dtype.newbyteorder("<").str
    if name not in _TYPES:
        raise InputError(f"A message cannot hold numbers of the type {array.dtype}.", "Use one of float64, int64.")
    return name


def encode(content: JsonObject, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return a message as bytes: a header in JSON, then the arrays one after the other.

    Examples
    --------
    >>> decode(encode({"rows": 3}, {"sums": np.array([1.0, 2.0])}))
    ({'rows': 3}, {'sums': array([1., 2.])})
    """
    header = _header(content, arrays)
    parts = [_HEADER.pack(_MAGIC, len(header)), header]
    parts += [np.ascontiguousarray(array, dtype=_type_name(array)).tobytes() for array in arrays.values()]
    return b"".join(parts)


def size_in_bytes(content: JsonObject, arrays: Mapping[str, NDArray[Any]]) -> int:
    """Return the number of bytes that `encode` makes of a message, without making them."""
    return _HEADER.size + len(_header(content, arrays)) + sum(array.nbytes for array in arrays.values())


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is not a number of JSON")


def decode(data: bytes) -> tuple[JsonObject, Arrays]:
    """Return the content and the arrays of a message.

    Raises
    ------
    InputError
        When the bytes are not a message.
    """
    try:
        magic, length = _HEADER.unpack_from(data)
        if magic != _MAGIC or length > min(_MAX_HEADER, len(data)):
            raise ValueError("it does not begin like a message")
        content, described = json.loads(data[_HEADER.size : _HEADER.size + length], parse_constant=_refused)
        arrays: Arrays = {}
        start = _HEADER.size + length
        for name, type_name, shape in described:
            if type_name not in _TYPES or any(not isinstance(size, int) or size < 0 for size in shape):
                raise ValueError(f"the array {name!r} has an unknown type or shape")
            count = int(np.prod(shape, dtype=object)) if shape else 1
            array = np.frombuffer(data, type_name, count, start).reshape(shape)
            arrays[str(name)] = array.astype(array.dtype.newbyteorder("="))
            start += array.nbytes
        if start != len(data) or not isinstance(content, dict):
            raise ValueError("its length is not what it says")
    except (struct.error, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f"These bytes are not a message of a study ({error}).", "Update both sides.") from error
    return content, arrays
