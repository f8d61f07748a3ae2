"""The sketch of a batch of rows: the one representation that monitoring compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from core.columns import require_columns
from core.errors import InputError
from core.monitoring.column_sketches import ColumnSketch

__all__ = ["BatchSketch"]


@dataclass(frozen=True, eq=False)
class BatchSketch:
    """What is kept of a batch: its columns, bounded in size, and none of its rows.

    A sketch takes at most 0.3 MB per column as bytes, and usually a tenth of that. Any two sketches can be compared, so
    every kept batch may become the reference of later ones.

    Parameters
    ----------
    rows : int
        Rows of the batch.
    columns : mapping of str to ColumnSketch
        Sketches of the columns, in the order of the table.
    duplicates : int
        Rows that are equal to an earlier row in all columns but identifiers and the score.
    score : str, optional
        Column of the model's score.
    as_of : float, optional
        Moment of the batch, seconds since 1970 (UTC), by which the age of its dates is known.

    See Also
    --------
    sketch : Makes one of a table.
    compare : Compares two.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.monitoring import sketch
    >>> batch = sketch(pd.DataFrame({"age": [30, 41, None], "city": ["Ulm", "Ulm", "Bonn"]}))
    >>> batch.rows, list(batch.columns), batch["age"].missing, batch["city"].levels
    (3, ['age', 'city'], 1, ('Ulm', 'Bonn'))
    >>> BatchSketch.from_bytes(batch.to_bytes()).fingerprint == batch.fingerprint
    True
    """

    rows: int
    columns: Mapping[str, ColumnSketch]
    duplicates: int = 0
    score: str | None = None
    as_of: float | None = None

    def __post_init__(self) -> None:
        if self.rows < 1 or not self.columns:
            raise InputError(
                f"The batch has {self.rows:,} rows and {len(self.columns):,} columns.",
                "Give a table with at least one row and one column.",
            )

    def __getitem__(self, name: str) -> ColumnSketch:
        """Return the sketch of a column.

        Raises
        ------
        InputError
            When the batch lacks the column.
        """
        require_columns(self.columns, [name], what="The batch")
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    @property
    def duplicate_share(self) -> float:
        """Share of the rows that are equal to an earlier one."""
        return self.duplicates / self.rows

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the sketch: equal for the same batch, also with its rows in another order."""
        import hashlib

        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """Return the sketch as a compressed npz file with its description as JSON; nothing is pickled."""
        from core.monitoring.sketch_file import write_sketch

        return write_sketch(self.rows, self.columns, self.duplicates, self.score, self.as_of)

    @classmethod
    def from_bytes(cls, content: bytes) -> BatchSketch:
        """Read what `to_bytes` wrote.

        Raises
        ------
        InputError
            When the content is not a sketch, is damaged, or is of a later version.
        """
        from core.monitoring.sketch_file import read_sketch

        rows, columns, duplicates, score, as_of = read_sketch(content)
        return cls(rows, columns, duplicates, score, as_of)
