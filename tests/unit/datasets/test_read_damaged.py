"""Damaged and hostile files end in a sentence that says so, in every format, and leave nothing behind."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.datasets import profile, read_table
from core.errors import PlumblineError
from tests.unit.datasets.test_file_formats import write_open_document

FRAME = pd.DataFrame(
    {"name": [f"person {i}" for i in range(300)], "count": range(300), "real": [i / 7 for i in range(300)]}
)


def packed(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("t.csv", FRAME.to_csv(index=False))
    return buffer.getvalue()


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


WHOLE = {
    "zip": packed(zipfile.ZIP_DEFLATED),
    "zip of bzip2": packed(zipfile.ZIP_BZIP2),
    "zip of lzma": packed(zipfile.ZIP_LZMA),
    "gzip": written(lambda file: FRAME.to_csv(file, index=False, compression="gzip")),
    "excel": written(lambda file: FRAME.to_excel(file, index=False)),
    "parquet": written(lambda file: FRAME.to_parquet(file)),
    "feather": written(lambda file: FRAME.to_feather(file, compression="uncompressed")),
    "csv": FRAME.to_csv(index=False).encode(),
    "json": FRAME.to_json(orient="records").encode(),
}


def zeroed(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content) // 4, 3 * len(content) // 4)
    return content[:start] + bytes(min(40, len(content) - start)) + content[start + 40 :]


def flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(3):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) // 2, len(content))]


def doubled(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content) // 2)
    return content[: 2 * start] + content[start:]


def damaged(path: Path, content: bytes) -> str:
    """Read a file in whatever way it can be; return the error, if there is one."""
    path.write_bytes(content)
    said = ""
    try:
        table = read_table(path, workdir=path.parent / "work")
    except PlumblineError as error:
        said = error.message
    else:
        profile(table.path)
        assert len(table.frame) == table.rows
    assert not [item for item in (path.parent / "work").iterdir() if item.is_dir()]
    return said


@pytest.mark.parametrize("harm", [zeroed, flipped, cut, doubled])
@pytest.mark.parametrize("name", WHOLE)
def test_damage_is_said_to_be(tmp_path: Path, name: str, harm: Callable[[bytes, random.Random], bytes]) -> None:
    chance = random.Random(f"{name} {harm.__name__}")
    for _ in range(2):
        damaged(tmp_path / "t.file", harm(WHOLE[name], chance))


@pytest.mark.nightly
@pytest.mark.parametrize("harm", [zeroed, flipped, cut, doubled])
@pytest.mark.parametrize("name", WHOLE)
def test_much_damage_is_said_to_be(tmp_path: Path, name: str, harm: Callable[[bytes, random.Random], bytes]) -> None:
    chance = random.Random(f"many of {name} {harm.__name__}")
    for _ in range(12):
        damaged(tmp_path / "t.file", harm(WHOLE[name], chance))


def test_a_name_that_is_not_text_in_a_zip(tmp_path: Path) -> None:
    content = packed(zipfile.ZIP_STORED).replace(b"t.csv", b"\xff\xfe.c\xff")
    changed = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # "the name is UTF-8"
        changed[content.index(signature) + offset + 1] |= 0x08
    assert "damaged" in damaged(tmp_path / "t.zip", bytes(changed))


def test_an_open_document_whose_first_part_is_damaged(tmp_path: Path) -> None:
    write_open_document(tmp_path / "t.ods")
    content = (tmp_path / "t.ods").read_bytes()
    at = content.index(b"application/vnd.oasis")
    shifted = content[:40] + bytes(7) + content[40:]  # the part does not begin where the directory says
    for changed in (content[:at] + b"A" + content[at + 1 :], shifted):
        assert damaged(tmp_path / "t.ods", changed) == "The OpenDocument file is damaged or cut off before its end."


def test_offsets_of_texts_that_lie(tmp_path: Path) -> None:
    table = pa.table({"t": ["aaaa", "bbbb", "cccc"]})
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    offsets = b"".join(n.to_bytes(4, "little") for n in (0, 4, 8, 12))
    lies = b"".join(n.to_bytes(4, "little") for n in (0, 4, 0x7FFFFFF0, 0x7FFFFFFF))
    content = sink.getvalue()
    assert offsets in content
    assert "damaged" in damaged(tmp_path / "t.feather", content.replace(offsets, lies))


def test_dates_that_no_calendar_has(tmp_path: Path) -> None:
    days = pa.array([0, 2**31 - 1, -(2**31)], pa.int32()).cast(pa.date32())
    pq.write_table(pa.table({"d": days}), tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet", workdir=tmp_path / "work")
    assert table.report.types == {"d": "text"}
    assert profile(table.path)["d"].missing == 0
    assert any("after 9999; it is kept as text" in notice for notice in table.report.notices)
