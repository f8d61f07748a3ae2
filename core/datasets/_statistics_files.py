"""Files of statistics packages (Stata, SPSS, SAS), and ORC and Avro: read as a frame within a limit of cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.datasets._limits import Limits
from core.errors import InputError, LimitError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["READERS", "LabeledFrame", "read_avro", "read_orc", "read_statistics"]

_MAX_CELLS = 100_000_000
READERS: Mapping[str, str] = {
    "stata": "read_dta",
    "spss": "read_sav",
    "spss_portable": "read_por",
    "sas": "read_sas7bdat",
    "sas_transport": "read_xport",
}
"""Functions of pyreadstat by name of the format."""


@dataclass(frozen=True)
class LabeledFrame:
    """A frame with the labels of its columns, and sentences about it."""

    frame: pd.DataFrame
    labels: Mapping[str, str]
    notices: tuple[str, ...] = ()


def read_statistics(path: Path, reader: str, title: str, limits: Limits) -> LabeledFrame:
    """Read a file of a statistics package; values with a label become it.

    Parameters
    ----------
    path : Path
        The file.
    reader : str
        Name of the format, a key of `READERS`.
    title : str
        Its name in messages.
    limits : Limits
        Bounds on the table, which the file's own header tells before it is read.

    Raises
    ------
    InputError
        When the file is damaged.
    LimitError
        When it has more cells than are read from such a file.
    """
    import pyreadstat

    function = getattr(pyreadstat, READERS[reader])
    try:
        _, facts = function(str(path), metadataonly=True)
        if facts.number_rows is not None:
            _check(facts.number_rows, len(facts.column_names), title, limits)
        options = {"apply_value_formats": True, "formats_as_category": False} if "sas" not in reader else {}
        frame, facts = function(str(path), **options)
    except (pyreadstat.PyreadstatError, pyreadstat.ReadstatError, ValueError, OverflowError, UnicodeError) as error:
        raise InputError(f"The {title} file is damaged or cut off.", "Save it again, or as CSV.") from error
    _check(len(frame), len(frame.columns), title, limits)
    labels = {name: label for name, label in facts.column_names_to_labels.items() if label and label != name}
    named = list(facts.variable_value_labels)
    notices = []
    if named:
        shown = ", ".join(map(repr, named[:5]))
        notices.append(
            f"Values were replaced by their labels in {len(named):,} column{'s' * (len(named) != 1)}: {shown}."
        )
    return LabeledFrame(frame, labels, tuple(notices))


def read_orc(path: Path, limits: Limits) -> LabeledFrame:
    """Read an ORC file.

    Raises
    ------
    InputError
        When the file is damaged.
    LimitError
        When it has more cells than are read from such a file.
    """
    import pyarrow as pa
    from pyarrow import orc

    try:
        file = orc.ORCFile(path)
        _check(file.nrows, len(file.schema), "ORC", limits)
        return LabeledFrame(file.read().to_pandas(), {})
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("The ORC file is damaged or cut off.", "Write it again, or save it as Parquet.") from error


def read_avro(path: Path, limits: Limits) -> LabeledFrame:
    """Read an Avro file of records.

    Raises
    ------
    InputError
        When the file is damaged, or does not hold records.
    LimitError
        When it has more cells than are read from such a file.
    """
    import fastavro
    import pandas as pd

    rows: list[Any] = []
    try:
        with path.open("rb") as source:
            reader = fastavro.reader(source)
            while part := list(islice(reader, 10_000)):
                rows += part
                width = len(rows[0]) if isinstance(rows[0], dict) else 0
                _check(len(rows), width, "Avro", limits)
    except (
        fastavro.schema.SchemaParseException,
        ValueError,
        EOFError,
        KeyError,
        IndexError,
        TypeError,
        RecursionError,
    ) as error:
        if isinstance(error, InputError | LimitError):
            raise
        raise InputError("The Avro file is damaged or cut off.", "Write it again, or save it as Parquet.") from error
    if not rows or not isinstance(rows[0], dict):
        raise InputError("The Avro file holds no records.", "Write one record per row.")
    return LabeledFrame(pd.DataFrame(rows), {})


def _check(rows: int, columns: int, title: str, limits: Limits) -> None:
    limits.check_shape(rows, columns)
    if rows * columns > _MAX_CELLS:
        raise LimitError(
            f"The {title} file has {rows * columns:,} cells; at most {_MAX_CELLS:,} are read from such a file.",
            "Save the table as Parquet, which is read in parts.",
        )
