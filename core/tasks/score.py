"""Scores the rows of an uploaded file with a registered model, part by part, and stores them as Parquet and CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pydantic import JsonValue, TypeAdapter

from core import jobs
from core.access import Access, upload_limit_mb
from core.catalog import ModelVersion, models, runs
from core.columns import require_columns
from core.errors import InputError
from core.jobs import RunContext, TaskSpec
from core.progress import Event
from core.readings import training_reading
from core.tasks._scored_extras import MAX_REASONS, evaluated, explained, ranked, top_rows
from core.tasks._uploads import TOO_LARGE_HINT, keep_upload, shared_upload, upload_path, uploaded_file
from core.tasks._watching import watch_scored

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq


__all__ = ["MAX_REASONS", "SPEC", "PartsWriter", "ScoredFile", "read_parts", "run", "submit_upload", "top_rows"]

SPEC = TaskSpec(
    name="score",
    title="Scoring",
    help="Scores the rows of an uploaded file with a registered model.",
    lane="short",
    page="models",
    repeatable=False,  # an upload is read once, then removed
    part_of="version",
)

_ROWS = 50_000


@dataclass(frozen=True)
class ScoredFile:
    """The result of a run that scored a file.

    Parameters
    ----------
    model : str
        The id of the model.
    number : int
        Number of the version that predicted.
    rows : int
        Number of scored rows.
    skipped : int
        Number of lines of the file that could not be read.
    policy : str or None
        Name of the file of the policy that decided.
    columns : list of str
        Names of the columns that were added: the prediction first.
    alerts : int
        Number of findings that may make the predictions wrong.
    ranked_by : str or None, default=None
        The added column that ranks the rows in ``ranked.csv``, if any does.
    reasons : int, default=0
        Number of rows in ``reasons.parquet``.
    """

    model: str
    number: int
    rows: int
    skipped: int
    policy: str | None
    columns: list[str]
    alerts: int
    ranked_by: str | None = None
    reasons: int = 0

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the result as JSON-serializable values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue]) -> ScoredFile:
        """Return the result that `to_dict` described."""
        return TypeAdapter(ScoredFile).validate_python(dict(values))


def submit_upload(
    version: ModelVersion,
    file: IO[bytes],
    filename: str,
    *,
    policy: str | None = None,
    row_id: str | None = None,
    reasons: int = 0,
    access: Access,
) -> str:
    """Copy an upload out of memory and queue the run that scores it.

    Parameters
    ----------
    version : ModelVersion
        The version that predicts.
    file : binary file
        A file in any format that `read_table` takes.
    filename : str
        Name that the user gave the file; it is only shown.
    policy, row_id : str, optional
        The same as those of `core.models.RowScorer`.
    reasons : int, default=0
        Number of rows whose top reasons are computed, the highest ranks first; at most `MAX_REASONS`.
    access : Access
        The workspace, and who acts in it.

    Returns
    -------
    str
        The run's id; its result is a `ScoredFile`. Its files are ``scored.parquet`` and ``scored.csv`` (the file's
        columns, then the predictions; cells that a spreadsheet would run are escaped), ``report.json``, a
        `core.models.ScoringReport`, and where rows have a rank ``ranked.csv``, the same rows by their rank. On request
        ``reasons.parquet`` has the top reasons of some rows.

    Raises
    ------
    LimitError
        When the file is larger than ``max_upload_mb``.
    """
    name = models.get(version.model_id, access=access).name
    upload = keep_upload(file, filename, upload_limit_mb(), TOO_LARGE_HINT, access=access)
    settings = {
        "version": version.id,
        "upload": upload,
        **shared_upload(upload_path(upload)),
        "filename": filename[:200],
        "policy": policy,
        "row_id": row_id,
        "reasons": min(reasons, MAX_REASONS),
    }
    return jobs.submit(
        "score", settings, title=f"Score {filename[:100]} with {name[:100]}, version {version.number}", access=access
    )


def run(context: RunContext) -> dict[str, JsonValue]:
    """Read the file, score it, and store the predictions."""
    from core.datasets import ReadOptions, read_table
    from core.models import RowScorer, lost_cells, resolve
    from core.spreadsheet import write_csv

    settings = context.settings
    upload = uploaded_file(settings)
    try:
        version = resolve(settings["version"], access=context.access)
        trained = runs.get(version.run_id, access=context.access)
        reading = training_reading(trained.id, trained.dataset_id, access=context.access)
        markers = reading.missing_values
        table = read_table(
            upload,
            name=settings["filename"],
            options=None if markers is None else ReadOptions(missing_values=markers),
            like=reading.like(),
            workdir=context.workdir,
            report=context.report,
        )
    finally:
        upload.unlink(missing_ok=True)
    context.report(Event("score", 0.1, "Loading the model"))
    scorer = RowScorer(version, policy=settings["policy"], row_id=settings["row_id"], access=context.access)
    if settings["row_id"] is not None and scorer.policy is not None:
        _require_unique(table.path, settings["row_id"])
    out = context.workdir / "scored.parquet"
    done = 0
    first = None
    names: list[str] = []
    with PartsWriter(out) as writer:
        for batch, frame in read_parts(table.path, table.columns):
            part = scorer.score(frame)
            names = [str(name) for name in part.columns]
            writer.add(batch, part)
            first = part if first is None else first
            done += len(frame)
            context.report(Event("score", 0.1 + 0.8 * done / table.rows, f"{done:,} of {table.rows:,} rows scored"))
    assert first is not None
    context.report(Event("store", 0.95, "Storing the predictions"))
    added = dict(zip(names, writer.added, strict=True))
    evaluation = evaluated(scorer, out, added) if scorer.has_target else None
    report = scorer.scored(first).scoring_report(
        skipped=table.report.skipped,
        skipped_rows=table.report.skipped_rows,
        reading=lost_cells(table.report),
        evaluation=evaluation,
    )
    (context.workdir / "report.json").write_bytes(report.to_json())
    write_csv(out, context.workdir / "scored.csv")
    kept = ["scored.parquet", "scored.csv", "report.json"]
    ranked_by = None if scorer.ranked_by is None else added[scorer.ranked_by]
    if ranked_by is not None:
        ranked(out, ranked_by, context.workdir / "ranked.parquet")
        write_csv(context.workdir / "ranked.parquet", context.workdir / "ranked.csv")
        kept.append("ranked.csv")
    explained_rows = 0
    if count := int(settings.get("reasons", 0)):
        context.report(Event("explain", 0.97, "Finding the reasons of the first rows"))
        first_rows = out if ranked_by is None else context.workdir / "ranked.parquet"
        reasons = explained(scorer, first_rows, count, background=out)
        reasons.to_parquet(context.workdir / "reasons.parquet", index=False)
        explained_rows = len(reasons)
        kept.append("reasons.parquet")
    for name in kept:
        context.keep(name, context.workdir / name)
    context.report(Event("compare", 0.98, "Comparing the rows with those of training"))
    watched = watch_scored(context, version, settings["filename"], out, added, report.policy)
    return (
        watched
        | ScoredFile(
            model=version.model_id,
            number=version.number,
            rows=table.rows,
            skipped=report.skipped,
            policy=report.policy,
            columns=writer.added,
            alerts=report.alerts,
            ranked_by=ranked_by,
            reasons=explained_rows,
        ).to_dict()
    )


def read_parts(path: Path, names: list[str]) -> Iterator[tuple[pa.Table, pd.DataFrame]]:
    """Yield the rows of a Parquet file part by part: as they are stored, and as a frame.

    Parameters
    ----------
    path : Path
        The file.
    names : list of str
        Names of the columns to read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, pre_buffer=False) as file:
        start = 0
        for batch in file.iter_batches(batch_size=_ROWS, columns=names):
            part = pa.Table.from_batches([batch])
            frame = part.to_pandas()
            frame.index = frame.index + start
            start += len(frame)
            yield part, frame


class PartsWriter:
    """Writes rows with their predictions part by part; each part gets the types of the first.

    Parameters
    ----------
    path : Path
        The Parquet file to write.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None
        self.added: list[str] = []

    def __enter__(self) -> PartsWriter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def add(self, batch: pa.Table, predictions: pd.DataFrame) -> None:
        """Write one part."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = batch
        for name in predictions.columns:
            title = str(name)
            while title in table.column_names:  # the file has a column of this name of its own
                title += " (model)"
            table = table.append_column(title, pa.array(predictions[name], from_pandas=True))
        if self._writer is None:
            self.added = table.column_names[batch.num_columns :]
            fields = [
                pa.field(field.name, pa.string() if pa.types.is_null(field.type) else field.type)
                for field in table.schema
            ]
            self._writer = pq.ParquetWriter(self._path, pa.schema(fields))
        self._writer.write_table(table.cast(self._writer.schema))


def _require_unique(path: Path, name: str) -> None:
    """Refuse ids that occur twice anywhere in the file; a part alone does not show it."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, pre_buffer=False) as file:
        require_columns(file.schema_arrow.names, [name], hint="Name a column of unique ids.")
        ids = file.read(columns=[name])[name]
    if ids.null_count or len(pc.unique(ids)) < len(ids):
        raise InputError(f"The ids in '{name}' are not unique, or some are missing.", "Name a column of unique ids.")
