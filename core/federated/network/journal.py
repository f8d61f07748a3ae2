"""A file of records that is only ever added to, and whose last record may be torn: what a process resumes from.

A record is its length, the SHA-256 of its bytes, and the bytes of a message. It is on the disk when `append` returns.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from core.errors import StorageError
from core.federated.protocol.message import Arrays, Reply, Request, decode, encode
from core.files import os_errors_explained
from core.jsonable import JsonObject

__all__ = ["Journal", "flatten", "request_digest", "split"]

_HEADER = struct.Struct("<Q32s")


def request_digest(request: Request) -> str:
    """Return the SHA-256 of what a request asks, with its number.

    Examples
    --------
    >>> request_digest(Request(1, "categories")) == request_digest(Request(2, "categories"))
    False
    """
    content = {"number": request.number, "kind": request.kind, "content": request.content}
    return hashlib.sha256(encode(content, request.arrays)).hexdigest()


def flatten(replies: dict[str, Reply]) -> tuple[JsonObject, Arrays]:
    """Return replies of several sites as the content and the arrays of one message."""
    arrays: Arrays = {}
    for index, reply in enumerate(replies.values()):
        arrays |= {f"{index} {name}": array for name, array in reply.arrays.items()}
    return {site: reply.content for site, reply in replies.items()}, arrays


def split(contents: JsonObject, arrays: Arrays) -> dict[str, Reply]:
    """Return the replies of what `flatten` returned."""
    by_index: list[Arrays] = [{} for _ in contents]
    for key, array in arrays.items():
        index, name = key.split(" ", 1)
        by_index[int(index)][name] = array
    return {site: Reply(contents[site], by_index[index]) for index, site in enumerate(contents)}


class Journal:
    """Records in a file.

    Parameters
    ----------
    path : Path
        File; made, for its user alone, where there is none.

    Raises
    ------
    StorageError
        When it cannot be read or written, or another process uses it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     journal = Journal(Path(folder) / "journal")
    ...     journal.append({"number": 1}, {})
    ...     [content for content, _ in journal.records()]
    [{'number': 1}]
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with os_errors_explained(f"Opening {path.name}"):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(self._descriptor)
                raise StorageError(
                    f"Another process works in '{path.parent}'.", "End it, or wait until it has ended."
                ) from error
            self._offsets: list[int] = []
            end = 0
            for start, data in self._scan():
                self._offsets.append(start)
                end = start + _HEADER.size + len(data)
            os.ftruncate(self._descriptor, end)  # what a killed process has begun to write

    def _scan(self) -> Iterator[tuple[int, bytes]]:
        with self.path.open("rb") as file:
            while header := file.read(_HEADER.size):
                start = file.tell() - len(header)
                if len(header) < _HEADER.size:
                    return
                length, digest = _HEADER.unpack(header)
                data = file.read(length)
                if len(data) < length:
                    return
                if hashlib.sha256(data).digest() != digest:
                    raise StorageError(
                        f"'{self.path}' was altered at byte {start:,}.", "Restore the file, or start a new study."
                    )
                yield start, data

    def __len__(self) -> int:
        return len(self._offsets)

    def records(self) -> Iterator[tuple[JsonObject, Arrays]]:
        """Yield content and arrays of each record, in order."""
        for _, data in self._scan():
            yield decode(data)

    def append(self, content: JsonObject, arrays: Arrays) -> None:
        """Add a record."""
        data = encode(content, arrays)
        with os_errors_explained(f"Writing {self.path.name}"):
            start = os.lseek(self._descriptor, 0, os.SEEK_END)
            rest = memoryview(_HEADER.pack(len(data), hashlib.sha256(data).digest()) + data)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        self._offsets.append(start)

    def drop_last(self) -> None:
        """Remove the last record."""
        with os_errors_explained(f"Writing {self.path.name}"):
            os.ftruncate(self._descriptor, self._offsets.pop())
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
