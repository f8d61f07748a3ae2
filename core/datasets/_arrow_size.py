"""What an Arrow file unpacks to, by the headers of its record batches: known before a value is read."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["unpacked_size"]


def unpacked_size(source: pa.NativeFile) -> tuple[int, int]:
    """Return the bytes and rows that the record batches of an Arrow file unpack to, from their headers alone.

    A compressed buffer starts with its unpacked length (Arrow columnar format, "Recordbatch message").
    """
    import pyarrow as pa

    source.seek(8)  # the magic number, padded; a stream of messages follows
    expanded = rows = 0
    while True:
        try:
            message = pa.ipc.read_message(source)
        except EOFError:
            break
        if message.type == "schema":
            continue
        batch = _FlatBuffer(message.metadata.to_pybytes()).record_batch(message.type == "dictionary")
        if batch is None:
            break
        length, buffers, compressed = batch
        rows += length if message.type == "record batch" else 0
        body = memoryview(message.body)
        for offset, size in buffers:
            if compressed and size >= 8:
                unpacked = struct.unpack_from("<q", body, offset)[0]
                expanded += size if unpacked < 0 else unpacked
            else:
                expanded += size
    return expanded, rows


class _FlatBuffer:
    """A reader of FlatBuffers, as far as the header of a record batch needs it."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def _field(self, table: int, index: int) -> int:
        """Return the position of a field of a table, 0 when it is absent."""
        vtable = table - struct.unpack_from("<i", self.data, table)[0]
        if 4 + 2 * index >= struct.unpack_from("<H", self.data, vtable)[0]:
            return 0
        offset = struct.unpack_from("<H", self.data, vtable + 4 + 2 * index)[0]
        return table + offset if offset else 0

    def _follow(self, position: int) -> int:
        return position + int(struct.unpack_from("<I", self.data, position)[0])

    def record_batch(self, dictionary: bool) -> tuple[int, list[tuple[int, int]], bool] | None:
        """Return the number of rows, the buffers (offset, size) and whether they are compressed."""
        header = self._field(self._follow(0), 2)
        if not header:
            return None
        batch = self._follow(header)
        if dictionary:
            batch = self._follow(self._field(batch, 1))
        length = self._field(batch, 0)
        rows = struct.unpack_from("<q", self.data, length)[0] if length else 0
        buffers: list[tuple[int, int]] = []
        if at := self._field(batch, 2):
            start = self._follow(at)
            count = struct.unpack_from("<I", self.data, start)[0]
            buffers = [struct.unpack_from("<qq", self.data, start + 4 + 16 * i) for i in range(count)]
        return rows, buffers, bool(self._field(batch, 3))
