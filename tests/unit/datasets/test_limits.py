"""Limits hold before the memory is spent, name themselves and the value, and follow the installation's settings."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from core.datasets import Limits, read_table
from core.datasets._limits import EXPANSION_FLOOR, MB
from core.errors import InputError, LimitError
from core.settings import Settings

ROOT = Path(__file__).parents[3]
ROWS, COLUMNS = 60, 4
TABLE = pa.table({f"c{i}": np.arange(ROWS) * (i + 1) for i in range(COLUMNS)})
HERE = {"memory_mb": 0}  # in this process, which takes less time
SMALL = {"max_rows": 59, "max_columns": 3, "max_cells": 239}


def csv_text() -> bytes:
    lines = [",".join(TABLE.column_names), *(",".join(map(str, row.values())) for row in TABLE.to_pylist())]
    return "\n".join(lines).encode()


def write(path: Path, kind: str) -> Path:
    """The same table in a file of this kind."""
    if kind == "parquet":
        pq.write_table(TABLE, path)
    elif kind == "feather":
        feather.write_feather(TABLE, path)
    elif kind == "excel":
        book = openpyxl.Workbook()
        for row in [TABLE.column_names, *(list(row.values()) for row in TABLE.to_pylist())]:
            book.active.append(row)
        book.save(path)
    elif kind == "json":
        path.write_text("\n".join(str(row).replace("'", '"') for row in TABLE.to_pylist()))
    elif kind == "gzip":
        path.write_bytes(gzip.compress(csv_text()))
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("t.csv", csv_text())
    else:
        path.write_bytes(csv_text())
    return path


@pytest.fixture(params=["csv", "json", "excel", "parquet", "feather", "gzip", "zip"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path / "table", request.param)


def refused(path: Path, limits: Limits | None = None) -> LimitError:
    work = path.parent / "work"
    with pytest.raises(LimitError) as caught:
        read_table(path, workdir=work, limits=limits)
    assert not list(work.glob("**/*")), "something was left behind"
    assert isinstance(caught.value, InputError)
    return caught.value


@pytest.mark.parametrize("limit", SMALL)
def test_one_too_many_is_refused_in_every_format(file: Path, limit: str) -> None:
    error = refused(file, Limits(**{limit: SMALL[limit]}, **HERE))
    noun = limit.removeprefix("max_")
    assert f"at most {SMALL[limit]:,} " in error.message
    assert f"{SMALL[limit] + 1:,} {noun}" in error.message
    assert f"PLUMBLINE_{limit.upper()}" in error.hint


def test_exactly_the_limit_is_read_in_every_format(file: Path) -> None:
    limits = Limits(max_rows=ROWS, max_columns=COLUMNS, max_cells=ROWS * COLUMNS, max_bytes=MB, **HERE)
    table = read_table(file, workdir=file.parent / "work", limits=limits)
    assert (table.rows, len(table.columns)) == (ROWS, COLUMNS)


def test_bytes_are_refused_in_every_format(file: Path) -> None:
    size = file.stat().st_size
    error = refused(file, Limits(max_bytes=size - 1, **HERE))
    assert "MB; at most" in error.message
    assert "PLUMBLINE_MAX_UPLOAD_MB" in error.hint


def test_what_unpacks_to_too_much_is_refused_though_the_file_is_small(tmp_path: Path) -> None:
    limits = Limits(max_bytes=MB, **HERE)
    text = b"a,b\n" + b"1,2\n" * 300_000
    path = tmp_path / "table"
    path.write_bytes(gzip.compress(text))
    assert path.stat().st_size < MB
    assert "unpacks to more than 1.0 MB" in refused(path, limits).message
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", text)
    path.write_bytes(buffer.getvalue())
    assert "unpacks to more than 1.0 MB" in refused(path, limits).message


@pytest.mark.parametrize(
    ("expanded", "packed", "fits"),
    [
        (EXPANSION_FLOOR, 1, True),  # small content may pack as well as it likes
        (EXPANSION_FLOOR + 1, EXPANSION_FLOOR // 250 + 1, True),
        (EXPANSION_FLOOR + 1, EXPANSION_FLOOR // 250 - 1, False),
        (EXPANSION_FLOOR * 4, 0, False),
        (2 * 1024 * MB + 1, 1024 * MB, False),
    ],
)
def test_expansion_is_bounded_by_size_and_ratio(expanded: int, packed: int, fits: bool) -> None:
    if fits:
        Limits().check_expansion(expanded, packed)
    else:
        with pytest.raises(LimitError, match="unpacks to more than") as caught:
            Limits().check_expansion(expanded, packed)
        assert caught.value.hint


@pytest.mark.parametrize("columns", [2_001, 3_000])
def test_shape_is_judged_by_columns_first(columns: int) -> None:
    with pytest.raises(LimitError, match=f"{columns:,} columns; at most 2,000"):
        Limits().check_shape(10**9, columns)
    with pytest.raises(LimitError, match="1,000,000,000 rows; at most 20,000,000"):
        Limits().check_shape(10**9, 2)
    with pytest.raises(LimitError, match="600,000,000 cells; at most 500,000,000"):
        Limits().check_shape(20_000_000, 30)


def test_defaults_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLUMBLINE_READ_MEMORY_MB")
    assert Limits() == Limits.from_settings(Settings(_env_file=None))  # type: ignore[call-arg]
    assert Limits().max_bytes == 2_048 * MB


def test_settings_of_the_installation_hold_for_reading(installation, tmp_path: Path) -> None:
    path = write(tmp_path / "table", "csv")
    for limit, value in SMALL.items():
        with installation(tmp_path / "home", **{limit.upper(): str(value)}):
            assert getattr(Limits.from_settings(), limit) == value
            assert f"at most {value:,} " in refused(path).message
    path.write_bytes(csv_text() + b"\n1,2,3,4" * 200_000)
    with installation(tmp_path / "home", MAX_UPLOAD_MB="1"):
        assert "at most 1.0 MB" in refused(path).message
        assert read_table(path, workdir=tmp_path / "work", limits=Limits()).rows == ROWS + 200_000


def test_a_limit_can_be_raised(installation, tmp_path: Path) -> None:
    path = tmp_path / "table"
    pq.write_table(pa.table({f"c{i}": [i] for i in range(2_001)}), path)
    assert "2,001 columns; at most 2,000" in refused(path).message
    with installation(tmp_path / "home", MAX_COLUMNS="2001"):
        assert len(read_table(path, workdir=tmp_path / "work").columns) == 2_001


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("parquet", "The table has 40,000,000 rows; at most 1,000,000"),
        ("gzip", "The file unpacks to more than 100 MB"),
        ("feather", "The file unpacks to more than 100 MB"),
    ],
)
def test_a_refusal_costs_less_memory_than_the_table(kind: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "table"
    zeros = np.zeros(40_000_000)  # 320 MB in memory, far less in the file
    if kind == "parquet":
        pq.write_table(pa.table({"a": zeros}), path)
    elif kind == "feather":
        feather.write_feather(pa.table({"a": zeros}), path, compression="zstd")
    else:
        with gzip.open(path, "wb", compresslevel=1) as target:
            target.write(b"a,b\n")
            for _ in range(300):
                target.write(b"0,0\n" * 250_000)
    code = """
import resource, sys
from core.datasets import Limits, read_table
from core.errors import LimitError
import duckdb, pyarrow.parquet
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_table(sys.argv[1], workdir=sys.argv[2], limits=Limits(max_rows=1_000_000, max_bytes=100 * 2**20))
except LimitError as error:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, error.message)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(tmp_path / "work")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    used, _, message = done.stdout.partition(" ")
    assert message.strip().startswith(said), done.stderr
    assert int(used) < 100
