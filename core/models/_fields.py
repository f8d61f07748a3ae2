"""What a model's columns held in training: what a form asks for, and what new rows are checked against."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.query import connect, identifier, literal

if TYPE_CHECKING:
    import duckdb

__all__ = ["MOST_CHOICES", "Field", "describe"]

MOST_CHOICES = 2_000
_TEXT_WORDS = 4
_READ_AS = {"number": "DOUBLE", "date": "TIMESTAMP WITH TIME ZONE"}


@dataclass(frozen=True)
class Field:
    """One column of new rows.

    Parameters
    ----------
    name : str
        Of the column.
    kind : str
        number, boolean, category, date or text.
    role : str
        feature, or group: a column that no model reads but a policy decides by, or figures are told by.
    rows, missing : int
        Training rows, and how many of them had no value here.
    default : number, bool, str or None
        The median of numbers (whole ones: the lower middle) and dates (ISO 8601), the most frequent value of others.
    minimum, maximum : number, str or None
        Of numbers and dates.
    integer : bool
        Whether it is a column of whole numbers.
    choices : tuple of str
        The values of a category, most frequent first.
    complete : bool
        Whether these are all; of a category with more than `MOST_CHOICES` values, only the most frequent are known.
    held : str
        What the training table held, in words, where that is not what the kind says: numbers that are a category.
    """

    name: str
    kind: str
    role: str = "feature"
    rows: int = 0
    missing: int = 0
    default: Any = None
    minimum: Any = None
    maximum: Any = None
    integer: bool = False
    choices: tuple[str, ...] = ()
    complete: bool = True
    held: str = ""

    @property
    def nullable(self) -> bool:
        """Whether the cell was ever empty in training."""
        return self.missing > 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        return asdict(self) | {"choices": list(self.choices)}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Field:
        """Read what `to_dict` wrote."""
        return cls(**{**found, "choices": tuple(found.get("choices", ()))})


def describe(
    table: Path,
    names: Sequence[str],
    *,
    target: str | None = None,
    left_out: Path | None = None,
    groups: Sequence[str] = (),
    kinds: Mapping[str, str] | None = None,
) -> list[Field]:
    """Describe columns by a table's training rows; memory does not grow with the rows.

    Parameters
    ----------
    table : Path
        The Parquet file.
    names : sequence of str
        The features.
    target : str, optional
        Rows without it are left out: nothing was learned from them.
    left_out : Path, optional
        A Parquet file whose ``row_id`` are the positions of rows that were held out.
    groups : sequence of str
        Further columns, of the role "group".
    kinds : mapping, optional
        What the model took a feature for (number, category, date or text), where its type in the table does not say so.

    Examples
    --------
    >>> import pandas as pd
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     frame = pd.DataFrame({"age": [20, 30, 70], "job": ["cook", "cook", None]})
    ...     frame.to_parquet(f"{folder}/table.parquet")
    ...     age, job = describe(Path(folder) / "table.parquet", ["age", "job"])
    >>> (age.kind, age.default, age.maximum, age.integer), (job.choices, job.nullable)
    (('number', 30, 70, True), (('cook',), True))
    """
    source = f"read_parquet({literal(table)}, file_row_number = true)"
    kept = [] if target is None else [f"{identifier(target)} IS NOT NULL"]
    if left_out is not None:
        kept.append(f"file_row_number NOT IN (SELECT row_id FROM read_parquet({literal(left_out)}))")
    rows = f"(SELECT * FROM {source}{' WHERE ' if kept else ''}{' AND '.join(kept)})"
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch, connect(scratch) as connection:
        types = {
            name: str(dtype) for name, dtype, *_ in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        }
        roles = dict.fromkeys(groups, "group") | dict.fromkeys(names, "feature")
        return [
            _field(connection, rows, name, types[name], roles[name], (kinds or {}).get(name) if name in names else None)
            for name in dict.fromkeys([*names, *groups])
            if name in types
        ]


def _field(
    connection: duckdb.DuckDBPyConnection, rows: str, name: str, dtype: str, role: str, wanted: str | None
) -> Field:
    def one(*selected: str) -> tuple[Any, ...]:
        return connection.execute(f"SELECT {', '.join(selected)} FROM {rows}").fetchone() or ()

    cell, held = identifier(name), _held(dtype)
    if held == "text" and wanted in _READ_AS:
        read = f"TRY_CAST({cell} AS {_READ_AS[wanted]})"
        if one(f"count({read})")[0]:  # a cell that does not read as such was missing in training
            cell, dtype = read, _READ_AS[wanted]
        else:  # of a search before such texts were refused: dates that are not written as 2024-01-15
            wanted = None
    total, known = one("count(*)", f"count({cell})")
    values: dict[str, Any] = {"name": name, "role": role, "rows": total, "missing": total - known}
    if (held == "text") == (wanted in _READ_AS) and wanted is not None:
        values["held"] = held
    if wanted == "text":
        return Field(kind="text", **values)
    if wanted == "category":
        if held == "dates":
            cell += "::TIMESTAMP::VARCHAR || '+00:00'" if dtype.endswith("ZONE") else "::TIMESTAMP"
        return _category(connection, rows, cell, values)
    if dtype == "BOOLEAN":
        (default,) = one(f"mode({cell})")
        return Field(kind="boolean", default=default, **values)
    if dtype.startswith(("DATE", "TIMESTAMP")):
        found = one(*(f"{what}::TIMESTAMP" for what in (f"min({cell})", f"quantile_disc({cell}, 0.5)", f"max({cell})")))
        low, default, high = (None if each is None else each.isoformat() for each in found)
        return Field(kind="date", default=default, minimum=low, maximum=high, **values)
    if _held(dtype) == "numbers":
        whole = "INT" in dtype
        inside = f"({cell})" if whole else f"({cell}) FILTER (isfinite({cell}::DOUBLE))"
        middle = f"quantile_disc({cell}, 0.5)" if whole else f"median{inside}"
        found = one(f"min{inside}", middle, f"max{inside}")
        low, default, high = (
            None if each is None else int(each) if whole and each == int(each) else float(each) for each in found
        )
        return Field(kind="number", minimum=low, default=default, maximum=high, integer=whole, **values)
    return _words(connection, rows, f"{cell}::VARCHAR", values)


def _held(dtype: str) -> str:
    """Return what a column of a type holds, in the words of the reports on new rows."""
    if dtype == "BOOLEAN":
        return "true and false"
    if dtype.startswith(("DATE", "TIMESTAMP")):
        return "dates"
    return "numbers" if dtype.startswith(("DECIMAL", "DOUBLE", "FLOAT")) or "INT" in dtype else "text"


def _words(connection: duckdb.DuckDBPyConnection, rows: str, cell: str, values: dict[str, Any]) -> Field:
    """Tell free text (long values that hardly repeat, as the features do) from a category."""
    known = values["rows"] - values["missing"]
    words, distinct = connection.execute(
        f"SELECT avg(length({cell}) - length(replace({cell}, ' ', '')) + 1), approx_count_distinct({cell}) FROM {rows}"
    ).fetchone() or (0, 0)
    if known and words >= _TEXT_WORDS and distinct > known / 2:
        return Field(kind="text", **values)
    return _category(connection, rows, cell, values)


def _category(connection: duckdb.DuckDBPyConnection, rows: str, cell: str, values: dict[str, Any]) -> Field:
    """Describe a category by its values, each spelled as the features spell it."""
    import pandas as pd

    from core.features import as_categories

    top = connection.execute(
        f"SELECT value FROM (SELECT {cell} AS value FROM {rows}) WHERE value IS NOT NULL "
        f"GROUP BY value ORDER BY count(*) DESC, value LIMIT {MOST_CHOICES + 1}"
    ).fetchall()
    choices = tuple(as_categories(pd.Series([value for (value,) in top]).dropna()))
    return Field(
        kind="category",
        default=choices[0] if choices else None,
        choices=choices[:MOST_CHOICES],
        complete=len(choices) <= MOST_CHOICES,
        **values,
    )
