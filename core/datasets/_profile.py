"""What each column of a table holds, from one scan of DuckDB and a count of the repeated values."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KINDS", "ColumnProfile", "Profile", "profile"]

KINDS = ("number", "category", "boolean", "date", "text", "identifier")
BINS = 20
TOP = 10
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class ColumnProfile:
    """What one column holds.

    Parameters
    ----------
    name : str
        Column name.
    kind : str
        number, category, boolean, date, text or identifier.
    dtype : str
        Type in the stored table: BIGINT, DOUBLE, BOOLEAN, DATE, TIMESTAMP, VARCHAR ...
    rows, missing, distinct : int
        Cells, missing cells, different values among the others.
    distinct_exact : bool
        False when `distinct` is an estimate (HyperLogLog), as in large columns of mostly different values.
    minimum, maximum : float, str or None
        Of numbers; of dates as ISO 8601 text.
    mean, std : float or None
        Of numbers; `std` is the sample standard deviation (n - 1).
    quantiles : mapping
        "0.05", "0.25", "0.5", "0.75", "0.95" -> value; exact up to 20,000,000 cells, else estimates (t-digest)
        where there are more than 1,000 different values; ISO 8601 text of dates.
    edges : tuple
        BINS + 1 edges of the histogram, as `numpy.histogram` has them; ISO 8601 text for dates.
    counts : tuple of int
        Values in each bin.
    top : tuple of (str, int)
        Most frequent values and their counts, most frequent first.
    lengths : mapping
        min, mean, max length of text in characters.
    """

    name: str
    kind: str
    dtype: str
    rows: int
    missing: int
    distinct: int
    distinct_exact: bool = True
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: Mapping[str, float | str] = field(default_factory=dict)
    edges: tuple[float | str, ...] = ()
    counts: tuple[int, ...] = ()
    top: tuple[tuple[str, int], ...] = ()
    lengths: Mapping[str, float] = field(default_factory=dict)

    @property
    def missing_share(self) -> float:
        """Share of the cells that are missing, 0 to 1."""
        return self.missing / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Profile:
    """What a table holds, column by column.

    Parameters
    ----------
    rows : int
        Number of rows.
    columns : tuple of ColumnProfile
        One a column, in order.
    """

    rows: int
    columns: tuple[ColumnProfile, ...]

    def __getitem__(self, name: str) -> ColumnProfile:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """Return the profile as plain, JSON-serialisable values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Profile:
        """Return the profile that `to_dict` described, also after a trip through JSON."""
        columns = []
        for fields in values["columns"]:
            fixed = {key: tuple(fields.get(key, ())) for key in ("edges", "counts")}
            top = tuple((str(value), int(count)) for value, count in fields.get("top", ()))
            columns.append(ColumnProfile(**{**fields, **fixed, "top": top}))
        return cls(rows=values["rows"], columns=tuple(columns))


def profile(table: str | Path | pd.DataFrame) -> Profile:
    """Profile a table.

    Parameters
    ----------
    table : path of a Parquet file, or pandas.DataFrame
        The table.

    Returns
    -------
    Profile

    Examples
    --------
    >>> import pandas as pd
    >>> found = profile(pd.DataFrame({"x": [1.0, 2.0, None], "y": ["a", "b", "a"]}))
    >>> found["x"].kind, found["x"].missing, found["x"].mean
    ('number', 1, 1.5)
    >>> found["y"].kind, found["y"].top
    ('category', (('a', 2), ('b', 1)))
    """
    from core.datasets._profile_scan import scan

    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        if isinstance(table, str | Path):
            return scan(Path(table), Path(folder))
        from core.datasets._frame import store_frame

        return scan(store_frame(table, Path(folder) / "table.parquet"), Path(folder))
