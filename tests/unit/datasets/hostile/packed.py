"""Hostile gzip and zip files."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat
from pathlib import Path

from tests.unit.datasets.hostile.record import HostileFile, write_zip
from tests.unit.datasets.hostile.text_file import MB, SMALL, text_file

__all__ = ["PACKED"]


def squeezed(path: Path, parts: Callable[[], Iterator[bytes]], layers: int = 1) -> None:
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb", compresslevel=1) as file:
        for part in parts():
            file.write(part)
    content = buffer.getvalue()
    for _ in range(layers - 1):
        content = gzip.compress(content)
    path.write_bytes(content)


def patched_zip(path: Path, old: bytes, new: bytes) -> None:
    write_zip(path, {"t.csv": SMALL})
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


def overlapping(path: Path, members: int) -> None:
    """Write a zip whose members are all the same bytes."""
    write_zip(path, {"t.csv": "a,b\n" + "1,2\n" * 1_000_000})
    content = path.read_bytes()
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    entry = content[start:end]
    directory = b"".join(entry.replace(b"t.csv", f"{i:05d}".encode()) for i in range(members))
    tail = bytearray(content[end : end + 22])
    tail[8:10] = tail[10:12] = min(members, 0xFFFF).to_bytes(2, "little")
    tail[12:16] = len(directory).to_bytes(4, "little")
    path.write_bytes(content[:start] + directory + tail)


def _zips(path: Path, layers: int) -> None:
    content = SMALL.encode()
    for _ in range(layers):
        write_zip(path, {"t.csv": content})
        content = path.read_bytes()


PACKED: list[HostileFile] = [
    *(
        HostileFile(
            f"gzip/{size:,} MB of {what}",
            partial(squeezed, parts=lambda size=size, part=part: repeat(part * (MB // len(part)), size)),
            (size, what) == (300, "zeros"),
        )
        for what, part in {"zeros": b"\0", "rows": b"1,2\n", "letters": b"x", "lines": b"\n"}.items()
        for size in (10, 300, 2_100)
    ),
    *(
        HostileFile(
            f"gzip/packed {layers} times", partial(squeezed, parts=lambda: iter([SMALL.encode()]), layers=layers)
        )
        for layers in (2, 3, 20)
    ),
    *(
        text_file(f"gzip/{count:,} members", lambda count=count: repeat(gzip.compress(b"1,2\n"), count))
        for count in (100, 100_000)
    ),
    text_file("gzip/empty members", lambda: repeat(gzip.compress(b""), 200_000)),
    *(
        HostileFile(
            f"zip/{size:,} MB by method {method}",
            partial(write_zip, members={"t.csv": repeat(b"1,2\n" * (MB // 4), size)}, method=method),
        )
        for size in (300,)
        for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    ),
    *(
        HostileFile(f"zip/{count:,} members over one another", partial(overlapping, members=count), count == 300_000)
        for count in (2, 65_000, 300_000)
    ),
    *(
        HostileFile(f"zip/{what}", partial(patched_zip, old=old, new=new))
        for what, old, new in (
            ("a name upwards", b"t.csv", b"../.."),
            ("a name from the root", b"t.csv", b"/etc/"),
            ("another method", b"PK\x01\x02\x2d\x03\x2d\x00\x00\x00\x08", b"PK\x01\x02\x2d\x03\x2d\x00\x00\x00\x63"),
            ("a password", b"PK\x01\x02\x2d\x03\x2d\x00\x00\x00", b"PK\x01\x02\x2d\x03\x2d\x00\x01\x00"),
            ("no end", b"PK\x05\x06", b"PK\x05\x07"),
            ("a folder", b"t.csv", b"t.cs/"),
        )
    ),
    HostileFile("zip/a zip in a zip in a zip", lambda path: _zips(path, 5)),
    HostileFile("zip/nothing", lambda path: write_zip(path, {})),
]
