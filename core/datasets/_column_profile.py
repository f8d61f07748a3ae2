"""Profiles: the content of each column of a table, as values that JSON can store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from core.jsonable import JsonObject

__all__ = ["BINS", "QUANTILES", "TOP", "ColumnProfile", "Profile"]

BINS = 20
TOP = 10
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class ColumnProfile:
    """The content of one column.

    Parameters
    ----------
    name : str
        Name of the column.
    kind : {"number", "category", "boolean", "date", "text", "identifier"}
        Meaning of the values.
    dtype : str
        Type in the stored table: BIGINT, DOUBLE, BOOLEAN, DATE, TIMESTAMP, VARCHAR ...
    rows, missing, distinct : int
        Number of cells, of missing cells, and of distinct values among the others.
    distinct_exact : bool, default=True
        Whether `distinct` is exact; it is an estimate (HyperLogLog) in large columns of mostly distinct values.
    minimum, maximum : float or str, optional
        Extremes of numbers, or of dates as ISO 8601 text.
    mean, std : float, optional
        Mean and sample standard deviation (n - 1) of numbers.
    quantiles : mapping, default={}
        Quantiles by level, "0.05" to "0.95"; ISO 8601 text for dates. They are exact up to 20,000,000 cells, otherwise
        estimates (t-digest) if there are more than 1,000 distinct values.
    edges : tuple, default=()
        Edges of the histogram, BINS + 1, as `numpy.histogram` defines them; ISO 8601 text for dates.
    counts : tuple of int, default=()
        Number of values in each bin.
    top : tuple of (str, int), default=()
        Most frequent values and their counts, most frequent first.
    lengths : mapping, default={}
        Minimum, mean and maximum length of text in characters.
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
        """Share of missing cells, 0 to 1."""
        return self.missing / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Profile:
    """The content of a table, column by column.

    Parameters
    ----------
    rows : int
        Number of rows.
    columns : tuple of ColumnProfile
        Profiles of the columns, in order.
    """

    rows: int
    columns: tuple[ColumnProfile, ...]

    def __getitem__(self, name: str) -> ColumnProfile:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def to_dict(self) -> JsonObject:
        """Return the profile as JSON-serializable values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: JsonObject) -> Profile:
        """Return the profile from what `to_dict` returned, or from its JSON."""
        columns = []
        for fields in values["columns"]:
            fixed = {key: tuple(fields.get(key, ())) for key in ("edges", "counts")}
            top = tuple((str(value), int(count)) for value, count in fields.get("top", ()))
            columns.append(ColumnProfile(**{**fields, **fixed, "top": top}))
        return cls(rows=values["rows"], columns=tuple(columns))
