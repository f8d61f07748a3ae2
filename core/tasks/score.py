"""Scores the rows of an uploaded file with a registered model, part by part, and keeps them as Parquet and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from core import jobs
from core.catalog import ModelVersion, models
from core.errors import InputError
from core.jobs import RunContext, TaskSpec
from core.progress import Event
from core.settings import get_settings
from core.tasks._uploads import keep_upload, upload_path

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["SPEC", "run", "submit_upload"]

SPEC = TaskSpec(
    name="score",
    title="Scoring",
    help="Scores the rows of an uploaded file with a registered model.",
    lane="short",
    page="models",
    repeatable=False,  # an upload is read once, then removed
)

_ROWS = 50_000


def submit_upload(
    version: ModelVersion, file: IO[bytes], filename: str, *, policy: str | None = None, row_id: str | None = None
) -> str:
    """Copy an upload out of memory and queue the run that scores it.

    Parameters
    ----------
    version : ModelVersion
        What predicts.
    file : binary file
        Of any format that `read_table` takes.
    filename : str
        What the user called it; only ever shown.
    policy, row_id : str, optional
        As `core.models.RowScorer` takes them.

    Returns
    -------
    str
        The run's id. Its files are ``scored.parquet`` and ``scored.csv`` (the file's columns, then the predictions;
        cells that a spreadsheet would run are escaped) and ``report.json``: findings, columns, unknown_groups,
        ignored, policy, skipped, skipped_rows.

    Raises
    ------
    LimitError
        When the file is larger than ``max_upload_mb``.
    """
    name = models.get(version.model_id, version.workspace).name
    limit = get_settings().max_upload_mb
    upload = keep_upload(file, filename, limit, "Upload a part of it. PLUMBLINE_MAX_UPLOAD_MB sets the limit.")
    settings = {
        "version": version.id,
        "upload": upload,
        "filename": filename[:200],
        "policy": policy,
        "row_id": row_id,
    }
    return jobs.submit(
        "score",
        settings,
        workspace=version.workspace,
        title=f"Score {filename[:100]} with {name[:100]}, version {version.number}",
    )


def run(context: RunContext) -> dict[str, Any]:
    """Read the file, score it, and store what came of it."""
    from core.datasets import read_table, write_csv
    from core.models import RowScorer, resolve

    settings = context.settings
    upload = upload_path(settings["upload"])
    try:
        table = read_table(upload, name=settings["filename"], workdir=context.workdir, report=context.report)
    finally:
        upload.unlink(missing_ok=True)
    context.report(Event("score", 0.1, "Loading the model"))
    version = resolve(settings["version"], workspace=context.workspace)
    scorer = RowScorer(version, policy=settings["policy"], row_id=settings["row_id"])
    if settings["row_id"] is not None and scorer.policy is not None:
        _require_unique(table.path, settings["row_id"])
    out = context.workdir / "scored.parquet"
    done = 0
    first = None
    with _Writer(out) as writer:
        for batch, frame in _parts(table.path, table.columns):
            part = scorer.score(frame)
            writer.add(batch, part)
            first = part if first is None else first
            done += len(frame)
            context.report(Event("score", 0.1 + 0.8 * done / table.rows, f"{done:,} of {table.rows:,} rows scored"))
    assert first is not None
    found = scorer.scored(first)
    context.report(Event("store", 0.95, "Storing the predictions"))
    report = found.report() | {
        "skipped": table.report.skipped,
        "skipped_rows": table.report.to_dict()["skipped_rows"],
    }
    (context.workdir / "report.json").write_text(json.dumps(report, allow_nan=False), encoding="utf-8")
    write_csv(out, context.workdir / "scored.csv")
    for name in ("scored.parquet", "scored.csv", "report.json"):
        context.keep(name, context.workdir / name)
    return {
        "model": version.model_id,
        "number": version.number,
        "rows": table.rows,
        "skipped": table.report.skipped,
        "policy": found.policy,
        "columns": writer.added,
        "alerts": sum(finding.level == "alert" for finding in found.findings),
    }


def _parts(path: Path, names: list[str]) -> Iterator[tuple[pa.Table, pd.DataFrame]]:
    """Yield some rows at a time: as they are stored, and as a frame."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        begin = 0
        for batch in file.iter_batches(batch_size=_ROWS, columns=names):
            part = pa.Table.from_batches([batch])
            frame = part.to_pandas()
            frame.index = frame.index + begin
            begin += len(frame)
            yield part, frame


class _Writer:
    """Writes the rows with their predictions; every part has the types of the first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None
        self.added: list[str] = []

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def add(self, batch: pa.Table, predictions: pd.DataFrame) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = batch
        for name in predictions.columns:
            called = str(name)
            while called in table.column_names:  # the file has a column of this name of its own
                called += " (model)"
            table = table.append_column(called, pa.array(predictions[name], from_pandas=True))
        if self._writer is None:
            self.added = table.column_names[batch.num_columns :]
            fields = [
                pa.field(each.name, pa.string() if pa.types.is_null(each.type) else each.type) for each in table.schema
            ]
            self._writer = pq.ParquetWriter(self._path, pa.schema(fields))
        self._writer.write_table(table.cast(self._writer.schema))


def _require_unique(path: Path, name: str) -> None:
    """Refuse ids that occur twice anywhere in the file: each part alone would not show it."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        if name not in file.schema_arrow.names:
            raise InputError(f"The table has no column '{name}'.", "Name a column of unique ids.")
        ids = file.read(columns=[name])[name]
    if ids.null_count or len(pc.unique(ids)) < len(ids):
        raise InputError(f"The ids in '{name}' are not unique, or some are missing.", "Name a column of unique ids.")
