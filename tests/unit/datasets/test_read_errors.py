"""Files that hold no table give a clear error and leave nothing behind; limits come before memory."""

from __future__ import annotations

import gzip
import io
import pickle
import zipfile
from pathlib import Path

import cloudpickle
import joblib
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from core.datasets import Limits, read_table
from core.errors import InputError, LimitError


def refused(folder: Path, content: bytes, name: str = "t.csv", limits: Limits | None = None) -> InputError:
    path = folder / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_table(path, workdir=folder / "work", limits=limits)
    assert not list((folder / "work").iterdir()) if (folder / "work").exists() else True
    assert caught.value.hint
    assert "/" not in caught.value.message.replace("and/or", "")
    return caught.value


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (b" \n\n  \n", "The file is empty."),
        (b"a,b,c\n", "no rows"),
        (b"a,b,c", "no rows"),
        (b"\xef\xbb\xbf", "no rows"),
        (b"[]", "no rows"),
        (b"{}\n{}\n", "no objects with keys"),
        (b'[{"a": 1}, {"a": ', "damaged"),
        (bytes(range(256)) * 40, "neither text nor"),
        (np.random.default_rng(0).bytes(50_000), "neither text nor"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PAR1" + b"junk" * 100, "Parquet file is damaged"),
        (b"ARROW1\0\0" + b"junk" * 100, "Feather file is damaged"),
        (b"PK\x03\x04junk", "zip file is damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "old Excel"),
        (zipped(a=b"x,y\n1,2\n", b=b"x,y\n1,2\n"), "2 files"),
        (zipped(mimetype=b"application/vnd.oasis"), "office document"),
    ],
)
def test_what_holds_no_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    assert message in refused(tmp_path, content).message


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="a folder"):
        read_table(tmp_path)


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.999])
def test_a_truncated_gzip_is_refused(tmp_path: Path, keep: float) -> None:
    whole = gzip.compress(("a,b\n" + "".join(f"{i},{i * 7 % 13}\n" for i in range(20_000))).encode())
    assert "cut off" in refused(tmp_path, whole[: int(len(whole) * keep)], "t.csv.gz").message


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.txt", "t"])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_of_any_protocol_is_refused_under_any_name(tmp_path: Path, name: str, protocol: int) -> None:
    content = pickle.dumps({"a": [1, 2, 3], "b": print}, protocol=protocol)
    assert "pickle" in refused(tmp_path, content, name).message


def test_the_rest_of_the_pickle_family_is_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": range(1_000)})
    joblib.dump(frame, tmp_path / "j")
    joblib.dump(frame, tmp_path / "z", compress=3)
    frame.to_pickle(tmp_path / "g.gz")
    contents = {
        "joblib": (tmp_path / "j").read_bytes(),
        "zlib": (tmp_path / "z").read_bytes(),
        "gzip": (tmp_path / "g.gz").read_bytes(),
        "cloudpickle": cloudpickle.dumps(lambda: 1),
        "torch": zipped(model__data__pkl=b"x", **{"model__data.pkl": b"\x80\x02."}),
        "zip": zipped(table=pickle.dumps(frame)),
    }
    for kind, content in contents.items():
        assert "pickle" in refused(tmp_path, content).message, kind


def test_a_header_of_100_000_columns_is_refused_early(tmp_path: Path) -> None:
    header = ",".join(f"c{i}" for i in range(100_000))
    for content in (header + "\n" + "1," * 99_999 + "1\n", header):
        error = refused(tmp_path, content.encode())
        assert isinstance(error, LimitError)
        assert "columns; at most 2,000" in error.message


def test_rows_columns_cells_and_bytes_are_limited(tmp_path: Path) -> None:
    content = b"a,b\n" + b"1,2\n" * 100
    for limits, named in [
        (Limits(max_rows=99), "100 rows"),
        (Limits(max_columns=1), "2 columns"),
        (Limits(max_cells=199), "200 cells"),
        (Limits(max_bytes=100), "at most 0.0 MB"),
    ]:
        error = refused(tmp_path, content, limits=limits)
        assert isinstance(error, LimitError)
        assert named in error.message
    read_table(tmp_path / "t.csv", workdir=tmp_path / "fits", limits=Limits(max_rows=100, max_columns=2, max_cells=200))


def test_bombs_are_refused_before_they_go_off(tmp_path: Path) -> None:
    small = Limits(max_bytes=20 * 2**20)
    zeros = b"a,b\n" + b"0,0\n" * 8_000_000
    assert "unpacks to more" in refused(tmp_path, gzip.compress(zeros), limits=small).message
    assert "unpacks to more" in refused(tmp_path, zipped(table=zeros), limits=small).message
    book = zipped(**{"xl__workbook.xml": b"<x/>", "xl__worksheets__sheet1.xml": b"<a>" + b" " * 30_000_000})
    assert "unpacks to more" in refused(tmp_path, book, limits=small).message
    entity = zipped(**{"xl__workbook.xml": b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'})
    assert "entities" in refused(tmp_path, entity).message
    feather.write_feather(pa.table({"a": np.zeros(10_000_000)}), tmp_path / "f", compression="zstd")
    assert "unpacks to more" in refused(tmp_path, (tmp_path / "f").read_bytes(), limits=small).message


def test_a_parquet_bomb_is_measured_by_what_it_spells_out(tmp_path: Path) -> None:
    long = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, dtype="i4")), ["x" * 10_000])
    content = parquet(pa.table({"a": long}))
    assert len(content) < 100_000
    assert "unpacks to more" in refused(tmp_path, content, limits=Limits(max_bytes=50 * 2**20)).message
    content = parquet(pa.table({f"c{i}": np.zeros(1_000_000, dtype="i1") for i in range(20)}))
    assert isinstance(refused(tmp_path, content, limits=Limits(max_cells=10_000_000)), LimitError)


def test_a_damaged_excel_or_parquet_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    book = openpyxl.Workbook()
    book.save(buffer)
    assert "no cells" in refused(tmp_path, buffer.getvalue()).message
    assert "damaged" in refused(tmp_path, buffer.getvalue()[:-200]).message
    assert "damaged" in refused(tmp_path, zipped(**{"xl__workbook.xml": b"<broken"})).message
    content = bytearray(parquet(pa.table({"a": list(range(50_000)), "b": [str(i) for i in range(50_000)]})))
    assert "damaged" in refused(tmp_path, bytes(content[: len(content) // 2])).message
    content[1_000:30_000] = b"\xff" * 29_000
    assert "damaged" in refused(tmp_path, bytes(content)).message


def test_a_text_of_mostly_wrong_rows_is_refused(tmp_path: Path) -> None:
    rows = ["a,b"] + [",".join("x" * (1 + i % 5)) for i in range(600)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["a,b", *["1,2"] * 600, *rows * 3]))
    with pytest.raises(InputError, match="do not have 2 fields"):
        read_table(path, workdir=tmp_path / "work")
