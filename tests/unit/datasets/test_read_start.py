"""Reading of the start of a file: bounded, in the layout of the whole, and said to be a part."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from core.datasets import ReadOptions, detect_format, read_table

ROWS = 16_000
NAMES = [f'row {i}; of\n{ROWS}, "ä"' + 40 * "." for i in range(ROWS)]
FRAME = pd.DataFrame({"id": range(ROWS), "name": NAMES, "x": 0.5})


def as_csv(frame: pd.DataFrame, encoding: str = "utf-8") -> bytes:
    return frame.to_csv(index=False).encode(encoding)


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", content)
    return buffer.getvalue()


TEXTS: dict[str, Callable[[pd.DataFrame], bytes]] = {
    "csv": as_csv,
    "utf-16": lambda frame: as_csv(frame, "utf-16"),
    "utf-16-be": lambda frame: as_csv(frame, "utf-16-be"),
    "utf-32": lambda frame: as_csv(frame, "utf-32"),
    "latin": lambda frame: as_csv(frame, "latin-1"),
    "gzip": lambda frame: gzip.compress(as_csv(frame)),
    "zip": lambda frame: zipped(as_csv(frame)),
    "lines": lambda frame: frame.to_json(orient="records", lines=True).encode(),
    "array": lambda frame: frame.to_json(orient="records", indent=2).encode(),
    "one line": lambda frame: frame.to_json(orient="records").encode(),
    "packed array": lambda frame: gzip.compress(frame.to_json(orient="records").encode()),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_the_start_of_a_text_is_the_start_of_its_table(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(TEXTS[kind](FRAME))
    table = read_table(path, start_only=True, workdir=tmp_path / "work")
    assert not table.report.complete
    assert 1_000 < table.rows < ROWS
    assert table.report.skipped == 0
    assert not any("quotes" in notice for notice in table.report.notices)
    pd.testing.assert_frame_equal(table.frame, FRAME.head(table.rows), check_dtype=False)
    if kind not in ("csv", "utf-16", "array"):
        return
    whole = read_table(path)
    assert whole.report.complete
    assert whole.rows == ROWS
    layout = {"encoding", "delimiter", "quote", "header", "skip_rows"}
    assert {d for d in table.report.decisions if d.name in layout - {"delimiter"}} <= set(whole.report.decisions)
    assert table.report.options == whole.report.options


@pytest.mark.parametrize("kind", TEXTS)
def test_a_small_file_is_read_whole(kind: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(TEXTS[kind](FRAME.head(30)))
    table = read_table(tmp_path / "file", start_only=True)
    assert table.report.complete
    pd.testing.assert_frame_equal(table.frame, FRAME.head(30), check_dtype=False)


def test_a_document_is_read_whole(tmp_path: Path) -> None:
    for pack in (bytes, gzip.compress):
        (tmp_path / "file").write_bytes(pack(FRAME.head(12_000).to_json(orient="split").encode()))
        table = read_table(tmp_path / "file", start_only=True)
        assert (table.rows, table.report.complete) == (12_000, True)


def test_a_row_longer_than_the_start_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a,b\n" + "x" * 1_100_000 + ",1\ny,2\n")
    table = read_table(tmp_path / "file", start_only=True, options=ReadOptions(delimiter=","))
    assert table.rows in (1, 2)


def test_the_first_rows_of_a_sheet_and_of_a_database(tmp_path: Path) -> None:
    frame = FRAME.head(1_500).drop(columns="name")
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        pd.DataFrame({"read": ["me"]}).to_excel(book, sheet_name="Notes", index=False)
        frame.to_excel(book, sheet_name="Table", index=False)
        book.sheets["Notes"].sheet_state = "hidden"
    with sqlite3.connect(tmp_path / "base.db") as connection:
        frame.to_sql("t", connection, index=False)
    for name, rows in (("book.xlsx", 999), ("base.db", 1_000)):
        table = read_table(tmp_path / name, start_only=True)
        assert (table.rows, table.report.complete) == (rows, False)
        pd.testing.assert_frame_equal(table.frame, frame.head(rows), check_dtype=False)
        assert read_table(tmp_path / name).rows == 1_500


def test_the_format_is_known_from_the_start(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "table.parquet")
    (tmp_path / "packed.gz").write_bytes(gzip.compress((tmp_path / "table.parquet").read_bytes()))
    (tmp_path / "lines").write_text("\n".join(json.dumps({"a": i}) for i in range(100_000)))
    for name, expected, typed in (
        ("table.parquet", "parquet", True),
        ("packed.gz", "parquet", True),
        ("lines", "json", False),
    ):
        file_format = detect_format(tmp_path / name)
        assert (file_format.name, file_format.typed) == (expected, typed)
