"""Read a file of any supported format into a Parquet file, a report and a fingerprint."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._delimited import delimited_source, rejected_rows
from core.datasets._dialect import detect_layout
from core.datasets._engine import connect, identifier, literal
from core.datasets._fingerprint import fingerprint
from core.datasets._limits import Limits
from core.datasets._names import repair_names
from core.datasets._table import ReadReport, Table
from core.datasets._types import choose_types
from core.errors import InputError
from core.progress import Report

if TYPE_CHECKING:
    pass

__all__ = ["read_table"]

_SAMPLE_BYTES = 2**20


def read_table(
    path: str | Path,
    *,
    name: str | None = None,
    limits: Limits | None = None,
    workdir: str | Path | None = None,
    report: Report | None = None,
) -> Table:
    source_path = Path(path)
    folder = Path(workdir) if workdir else Path(tempfile.mkdtemp(prefix="plumbline-"))
    limits = limits or Limits()
    out = folder / "table.parquet"
    size = source_path.stat().st_size
    with source_path.open("rb") as file:
        text = file.read(_SAMPLE_BYTES).decode("utf-8", errors="ignore")
    layout = detect_layout(text, complete=size <= _SAMPLE_BYTES)
    limits.check_columns(len(layout.names))
    source = delimited_source(source_path, layout)
    names, renamed = repair_names(layout.names)
    with connect(folder) as connection:
        rows, chosen = choose_types(connection, source.sample, source.scan, source.columns)
        skipped, first = rejected_rows(connection, len(names))
        if not rows:
            raise InputError("no rows")
        limits.check_shape(rows, len(names))
        select = ", ".join(f"{c.sql} AS {identifier(n)}" for c, n in zip(chosen, names, strict=True))
        connection.execute(f"COPY (SELECT {select} FROM {source.copy}) TO {literal(out)} (FORMAT parquet)")
    result = ReadReport(
        rows=rows,
        columns=len(names),
        format="csv",
        encoding="utf-8",
        dialect=layout.dialect,
        skipped=skipped,
        skipped_rows=first,
        renamed=renamed,
        missing_markers={n: c.markers for n, c in zip(names, chosen, strict=True) if c.markers},
        types={n: c.kind for n, c in zip(names, chosen, strict=True)},
        notices=(
            *layout.notices,
            *(f"Column {n!r} {c.notice}." for n, c in zip(names, chosen, strict=True) if c.notice),
        ),
    )
    return Table(name or source_path.stem, out, result, fingerprint(out))
