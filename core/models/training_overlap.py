"""Scored rows that are equal to training rows: metrics of such rows flatter a model."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.models._evidence import RunEvidence
from core.models._fields import Field
from core.models._intake import read_rows
from core.storage import get_store

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TrainingOverlap", "count_overlap", "label_texts", "row_hashes"]

MAX_CELLS = 50_000_000
"""Number of cells of a training table above which it is not read once more."""
_ROWS = 50_000


@dataclass(frozen=True)
class TrainingOverlap:
    """How many of some rows are equal to a training row, by the columns that the model reads and the target.

    Parameters
    ----------
    rows : int
        Number of rows that were compared.
    shared : int, default=0
        Number of them that are equal to a training row.
    held_out : int, default=0
        Number of test rows, which the model was not trained on.
    held_out_shared : int, default=0
        Number of test rows that are equal to a training row all the same.
    reason : str, default=""
        Reason why nothing could be compared.
    """

    rows: int
    shared: int = 0
    held_out: int = 0
    held_out_shared: int = 0
    reason: str = ""

    @property
    def share(self) -> float:
        """Share of the rows that are equal to a training row."""
        return self.shared / self.rows if self.rows else 0.0

    @property
    def share_by_chance(self) -> float:
        """The same share of the test rows."""
        return self.held_out_shared / self.held_out if self.held_out else 0.0

    @property
    def may_be_chance(self) -> bool:
        """Whether rows that the model was not trained on are equal to training rows as often."""
        return 0 < self.share <= self.share_by_chance


def label_texts(truth: pd.Series) -> pd.Series:
    """Return labels as text, whole numbers without decimals."""
    return truth.astype(object).map(
        lambda value: str(int(value)) if isinstance(value, float) and value.is_integer() else str(value),
        na_action="ignore",
    )


def row_hashes(cells: pd.DataFrame, fields: Sequence[Field], truth: pd.Series) -> NDArray[np.uint64]:
    """Return a hash of each row, equal for equal values whatever their types.

    Parameters
    ----------
    cells : DataFrame
        Columns of the fields, as `read_rows` returns them.
    fields : sequence of Field
        The fields.
    truth : Series
        Target of each row.

    Examples
    --------
    >>> fields, truth = [Field("a", "number")], pd.Series(["x"])
    >>> one, two = (row_hashes(pd.DataFrame({"a": [value]}), fields, truth) for value in (1, 1.0))
    >>> bool(one == two)
    True
    """
    columns = {f"c{index}": _canonical(cells[field.name], field) for index, field in enumerate(fields)}
    table = pd.DataFrame(columns | {"target": _texts(truth)}, index=cells.index)
    return np.asarray(pd.util.hash_pandas_object(table, index=False), dtype=np.uint64)


def _canonical(column: pd.Series, field: Field) -> NDArray[np.generic]:
    if field.kind in ("number", "boolean"):
        return np.asarray(column.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan))
    if field.kind == "date":
        return np.asarray(column.astype("datetime64[us, UTC]").astype("int64"))
    return _texts(column)


def _texts(column: pd.Series) -> NDArray[np.generic]:
    cells = label_texts(column)
    return np.asarray(cells.where(cells.notna(), "\0").to_numpy(dtype=object))


def count_overlap(
    evidence: RunEvidence,
    fields: Sequence[Field],
    hashes: NDArray[np.uint64],
    markers: Mapping[str, Collection[str]] | None = None,
) -> TrainingOverlap:
    """Compare rows with those that the model of a run was trained on.

    Parameters
    ----------
    evidence : RunEvidence
        The run.
    fields : sequence of Field
        Columns that the model reads.
    hashes : array of shape (n,)
        Hashes of the rows, from `row_hashes`.
    markers : mapping, optional
        Texts that mean a missing value, by column of text.
    """
    dataset = evidence.dataset
    if dataset is None:
        return TrainingOverlap(len(hashes), reason="the training table was deleted")
    names = [*(field.name for field in fields), evidence.target]
    if dataset.rows * len(names) > MAX_CELLS:
        return TrainingOverlap(len(hashes), reason="the training table is too large to read it once more")
    held_out = evidence.test["row_id"].to_numpy() if evidence.result.test_rows else np.zeros(0, dtype=np.int64)
    trained: list[NDArray[np.uint64]] = []
    tested: list[NDArray[np.uint64]] = []
    for start, part in _parts(get_store().local_path(dataset.data_digest), names):
        known = part[evidence.target].notna().to_numpy()
        if not known.any():
            continue
        rows = np.flatnonzero(known) + start
        part = part[known]
        cells, _ = read_rows(part, fields, markers)
        own = row_hashes(cells, fields, part[evidence.target])
        test = np.isin(rows, held_out)
        trained.append(own[~test])
        tested.append(own[test])
    training = np.concatenate([*trained, np.zeros(0, dtype=np.uint64)])
    test_hashes = np.concatenate([*tested, np.zeros(0, dtype=np.uint64)])
    return TrainingOverlap(
        len(hashes),
        int(np.isin(hashes, training).sum()),
        len(test_hashes),
        int(np.isin(test_hashes, training).sum()),
    )


def _parts(path: Path, names: Sequence[str]) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yield the rows of a stored table part by part, with the position of the first one."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, pre_buffer=False) as file:
        start = 0
        for batch in file.iter_batches(batch_size=_ROWS, columns=list(dict.fromkeys(names))):
            yield start, batch.to_pandas()
            start += len(batch)
