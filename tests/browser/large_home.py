"""The golden installation with large tables in the place of its own: what the web process must not hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core import query
from core.access import LOCAL
from core.catalog import Dataset, Run, RunArtifact, artifacts, datasets, runs
from core.catalog.engine import writing
from core.datasets import Limits, load_frame, profile
from core.storage import get_store
from tests.golden import Golden

__all__ = ["Large", "fill"]

MB = 2**20
TEXT_BYTES = 1_000_000_000
NOTES = 100_000
"""Rows of the table with short notes: 10 KB of text each, and no two alike."""
REVIEWS = 560
"""Rows of the table with long reviews: 1.8 MB of text each, close to the longest that is read."""
LONG = 4_000_000
WIDE = 2_000
WIDE_ROWS = 1_000


@dataclass(frozen=True)
class Large:
    """Ids of what was put in place of the golden installation's own.

    Parameters
    ----------
    notes, reviews, long, decisions, wide : str
        Datasets: a gigabyte of short texts, one of long texts, millions of rows to predict, millions of decisions,
        2,000 columns.
    long_run : str
        A search of `long` with millions of predictions.
    """

    notes: str
    reviews: str
    long: str
    decisions: str
    wide: str
    long_run: str


def _write(path: Path, batches: Iterator[pa.RecordBatch]) -> Path:
    first = next(batches)
    with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)
    return path


def _text(phrase: str, size: int, random: np.random.Generator) -> str:
    """Return a text of about so many bytes that repeats a phrase, with numbers between so that it packs less well."""
    block = phrase * max(1, 600 // len(phrase))
    return " ".join(f"{block}{number}" for number in random.integers(0, 10**9, size // len(block.encode())))


def _notes(credit: pd.DataFrame) -> Iterator[pa.RecordBatch]:
    """Yield the rows of `credit` again and again, each with a note of its own."""
    random = np.random.default_rng(0)
    for _ in range(0, NOTES, len(credit)):
        texts = [_text("The applicant wrote about the purpose. ", TEXT_BYTES // NOTES, random) for _ in credit.index]
        yield pa.RecordBatch.from_pandas(credit.assign(notes=texts), preserve_index=False)


def _reviews(own: pd.DataFrame) -> Iterator[pa.RecordBatch]:
    """Yield the rows of `own` and others like it, each text repeated up to almost the longest that is read."""
    random = np.random.default_rng(0)
    for start in range(0, REVIEWS, 40):
        rows = own.iloc[np.arange(start, start + 40) % len(own)].reset_index(drop=True)
        texts = [_text(f"{text} ", TEXT_BYTES // REVIEWS, random) for text in rows["text"]]
        yield pa.RecordBatch.from_pandas(rows.assign(text=texts), preserve_index=False)


def _repeated(own: pd.DataFrame, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield a table again and again; a number of each row keeps them apart."""
    for start in range(0, rows, 200_000):
        part = own.iloc[np.arange(start, start + 200_000) % len(own)].reset_index(drop=True)
        yield pa.RecordBatch.from_pandas(part.assign(number=np.arange(start, start + 200_000)), preserve_index=False)


def _wide() -> Iterator[pa.RecordBatch]:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({f"measure {number}": random.random(WIDE_ROWS) for number in range(WIDE - 1)})
    frame["kind"] = random.choice(["a", "b"], WIDE_ROWS)
    yield pa.RecordBatch.from_pandas(frame, preserve_index=False)


def _stored(path: Path, like: Dataset) -> Dataset:
    """Store a table as an import does that has enough memory for it, and return its dataset."""
    out = path.with_suffix(".stored.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query, "MEMORY_LIMIT", "6GB")
        with query.connect(path.parent) as connection:
            connection.execute(
                f"COPY (FROM read_parquet({query.literal(path)})) TO {query.literal(out)} (FORMAT parquet)"
            )
        described = profile(out, limits=Limits(memory_mb=0))
    dataset = Dataset(
        workspace="local",
        name=path.stem,
        fingerprint=hashlib.sha256(path.name.encode()).hexdigest(),
        data_digest=get_store().put_file(out),
        profile_digest=get_store().put_bytes(json.dumps(described.to_dict()).encode()),
        rows=described.rows,
        columns=len(described.columns),
        size_bytes=out.stat().st_size,
        source=path.name,
        report=like.report,
        roles=like.roles,
    )
    datasets.add(dataset, access=LOCAL)
    out.unlink()
    return dataset


def _point(run_ids: list[str], dataset: Dataset) -> None:
    """Let runs be of another dataset, whose first rows are those of their own."""
    with writing(LOCAL) as session:
        for run_id in run_ids:
            run = session.get(Run, run_id)
            assert run is not None
            run.dataset_id = dataset.id
            session.add(run)


def _replace(run_id: str, name: str, path: Path) -> None:
    """Put a file in the place of one of a run's."""
    digest = get_store().put_file(path)
    artifacts.add(
        RunArtifact(workspace="local", run_id=run_id, name=name, digest=digest, size_bytes=path.stat().st_size),
        access=LOCAL,
    )


def _predictions(own: pd.DataFrame, first: int, rows: int) -> Iterator[pa.RecordBatch]:
    random = np.random.default_rng(first)
    for start in range(first, first + rows, 200_000):
        part = own.iloc[random.integers(0, len(own), 200_000)].reset_index(drop=True)
        scores = random.random(len(part))
        names = [name for name in own.columns if name.startswith("p(")]
        part = part.assign(row_id=np.arange(start, start + len(part)))
        part[names[0]], part[names[1]] = 1 - scores, scores
        yield pa.RecordBatch.from_pandas(part, preserve_index=False)


def _long_run(golden: Golden, dataset: Dataset, folder: Path) -> str:
    """Put the search `binary` into the catalog once more, with millions of predictions."""
    run = runs.get(golden.binary, access=LOCAL)
    own = {item.name: item for item in artifacts.find(run.id, access=LOCAL)}
    again = Run(**run.model_dump(exclude={"id", "created_at"}) | {"dataset_id": dataset.id, "title": "long"})
    runs.add(again, access=LOCAL)
    rows: dict[str, tuple[int, int]] = {"test": (0, LONG // 5), "oof": (LONG // 5, LONG // 5 * 4)}
    for item in own.values():
        name = item.name.removesuffix(".parquet")
        if name in rows:
            stored = pd.read_parquet(get_store().local_path(item.digest))
            _replace(again.id, item.name, _write(folder / item.name, _predictions(stored, *rows[name])))
            continue
        values: dict[str, Any] = item.model_dump(exclude={"run_id"})
        if item.name == "result.json":
            result = json.loads(get_store().read_bytes(item.digest))
            result["rows"] |= {"test": rows["test"][1], "train": rows["oof"][1]}
            content = json.dumps(result).encode()
            values |= {"digest": get_store().put_bytes(content), "size_bytes": len(content)}
        artifacts.add(RunArtifact(**values, run_id=again.id), access=LOCAL)
    return again.id


def _scored(golden: Golden, notes: Path, folder: Path) -> None:
    """Let the file that was scored have a gigabyte of text."""
    run = runs.get(golden.scored, access=LOCAL)
    own = {item.name: item for item in artifacts.find(run.id, access=LOCAL)}
    scored = pd.read_parquet(get_store().local_path(own["scored.parquet"].digest))
    added = list((run.result or {})["columns"])

    def parts() -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(notes) as file:
            for batch in file.iter_batches(batch_size=1_000):
                part = pa.Table.from_batches([batch]).drop_columns(["credit"])
                rows = scored.iloc[np.arange(len(batch)) % len(scored)].reset_index(drop=True)
                for name in added:
                    part = part.append_column(name, pa.array(rows[name]))
                yield part.combine_chunks().to_batches()[0]

    _replace(run.id, "scored.parquet", _write(folder / "scored.parquet", parts()))
    with writing(LOCAL) as session:
        row = session.get(Run, run.id)
        assert row is not None
        assert row.result is not None
        row.result = {**row.result, "rows": NOTES}
        session.add(row)


def fill(golden: Golden, folder: Path, say: Callable[[str], None] = print) -> Large:
    """Import large tables, and let the runs of the golden installation be of them.

    Parameters
    ----------
    golden : Golden
        Ids of what the installation holds.
    folder : Path
        Folder for the files that are imported.
    say : callable, default=print
        Function that is told what is done.
    """
    credit, reviews, decided = (
        datasets.get(dataset_id, access=LOCAL) for dataset_id in (golden.credit, golden.reviews, golden.decisions)
    )
    frames = {item.id: load_frame(get_store().local_path(item.data_digest)) for item in (credit, reviews, decided)}
    notes_file = _write(folder / "notes.parquet", _notes(frames[credit.id]))
    say(f"notes.parquet has {notes_file.stat().st_size / MB:.1f} MB")
    notes = _stored(notes_file, credit)
    long_reviews = _stored(_write(folder / "reviews.parquet", _reviews(frames[reviews.id])), reviews)
    long = _stored(_write(folder / "long.parquet", _repeated(frames[credit.id], LONG)), credit)
    decisions = _stored(_write(folder / "decisions.parquet", _repeated(frames[decided.id], LONG)), decided)
    wide = _stored(_write(folder / "wide.parquet", _wide()), decided)
    say("all tables are stored")
    _point([golden.binary, golden.rival], notes)
    _point([golden.text], long_reviews)
    _scored(golden, notes_file, folder)
    say("the scored file is replaced")
    return Large(notes.id, long_reviews.id, long.id, decisions.id, wide.id, _long_run(golden, long, folder))
