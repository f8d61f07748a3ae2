"""Data folders: tables as steps hand them on, with what is known of their columns beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError, LimitError
from core.files import write_text
from core.jsonable import JsonObject
from core.pipelines.data_description import DataDescription
from core.pipelines.mltable import MLTABLE, Source, mltable_sources

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DESCRIPTION",
    "PARTS",
    "DataTable",
    "TargetChoice",
    "choose_target",
    "read_data",
    "write_data",
]

DESCRIPTION = "dataset.json"
"""Name of the file that describes the table of a folder."""
PARTS = ("train", "test")
"""Subfolders with the parts of a table that was split."""
_TABLE = "table.parquet"
_REPORT = "report.json"
_MAX_DESCRIPTION_BYTES = 20_000_000
_MAX_FILES = 10_000


@dataclass(frozen=True)
class DataTable:
    """A table that a step reads.

    Parameters
    ----------
    frame : DataFrame
        The rows.
    description : DataDescription
        Facts about its columns.
    part : str, optional
        Part of a split table that this is; None for a whole table.
    notes : tuple of str, default=()
        Sentences about how it was read.
    """

    frame: pd.DataFrame
    description: DataDescription
    part: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TargetChoice:
    """The column to predict.

    Parameters
    ----------
    name : str
        Name of the column.
    reason : str
        Why it is this one.
    """

    name: str
    reason: str

    @property
    def sentence(self) -> str:
        """The choice and its reason, for logs and reports."""
        return f"Target: '{self.name}' ({self.reason})."


def read_data(path: Path, part: str | None = None) -> DataTable:
    """Read the table of a folder or a file.

    Parameters
    ----------
    path : Path
        A folder with Parquet, CSV or other files that `core.datasets.read_table` reads, all with the same columns; with
        an ``MLTable`` file; or with parts; or a single file.
    part : {"train", "test"}, optional
        Part to read where the folder has parts; a folder without is read whole.

    Raises
    ------
    InputError
        When there is no table, or its files differ.
    LimitError
        When it is larger than the limits of the installation.

    See Also
    --------
    write_data : Write a folder that this reads.
    """
    if not path.exists():
        raise InputError(f"'{path.name}' does not exist.", "Give the path of a folder or a file with a table.")
    known = _read_description(path)
    folder = path / part if part is not None and (path / part).is_dir() else path
    if path.is_dir() and folder is path and not _own_files(path) and (path / PARTS[0]).is_dir():
        folder, part = path / PARTS[0], PARTS[0]
    sources = _sources(folder)
    frame, notes, reading = _read_sources(sources, ours=_is_ours(path, folder))
    description = known.with_columns(map(str, frame.columns))
    named = [name for name in (known.target, *known.sensitive, *known.ignore) if name is not None]
    lost = sorted(set(named) - set(map(str, frame.columns)))
    notes += [f"The table has no column '{name}' any more, which {DESCRIPTION} gives a role." for name in lost]
    if description.reading is None:
        description = replace(description, reading=reading)
    if not description.name:
        description = replace(description, name=path.stem)
    return DataTable(frame, description, None if folder is path else part, tuple(notes))


def write_data(
    folder: Path, frame: pd.DataFrame, description: DataDescription, *, part: str | None = None
) -> DataDescription:
    """Write a table and its description into a folder, and return the description.

    That of a whole table gets its fingerprint; that of parts keeps the one of the table that was split.

    Parameters
    ----------
    folder : Path
        Folder that exists.
    frame : DataFrame
        The rows.
    description : DataDescription
        Facts about its columns; roles of columns that it does not have are left out.
    part : {"train", "test"}, optional
        Part of a split table; by default the frame is the whole table.
    """
    from core.datasets import fingerprint, store_frame

    target = folder if part is None else folder / part
    target.mkdir(parents=True, exist_ok=True)
    path = store_frame(frame, target / _TABLE)
    described = description.with_columns(map(str, frame.columns))
    if part is None:
        described = replace(described, fingerprint=fingerprint(path))
    write_text(folder / DESCRIPTION, json.dumps(described.to_dict(), indent=1, ensure_ascii=False))
    return described


def choose_target(table: DataTable, named: str | None) -> TargetChoice:
    """Return the column to predict: the one that is named, else the dataset's role, else the last column.

    Parameters
    ----------
    table : DataTable
        The table.
    named : str, optional
        Column that the step was given.

    Raises
    ------
    InputError
        When the table has no such column.

    Examples
    --------
    >>> import pandas as pd
    >>> table = DataTable(pd.DataFrame({"age": [1], "left": ["no"]}), DataDescription())
    >>> choose_target(table, None).sentence
    "Target: 'left' (the last column, because none was named and the data gives no column this role)."
    """
    from core.columns import require_columns

    if named:
        require_columns(table.frame.columns, [named])
        return TargetChoice(named, "named as the target")
    if table.description.target is not None:
        reason = table.description.target_reason or "the dataset's role"
        return TargetChoice(table.description.target, reason)
    if not len(table.frame.columns):
        raise InputError("The table has no columns.", "Give a table with rows and columns.")
    last = str(table.frame.columns[-1])
    return TargetChoice(last, "the last column, because none was named and the data gives no column this role")


def _read_description(path: Path) -> DataDescription:
    file = path / DESCRIPTION
    if not file.is_file():
        return DataDescription()
    if file.stat().st_size > _MAX_DESCRIPTION_BYTES:
        raise LimitError(f"{DESCRIPTION} of '{path.name}' is too large.", "Give one with the roles of the columns.")
    try:
        values = json.loads(file.read_bytes())
    except ValueError as error:
        raise InputError(f"{DESCRIPTION} of '{path.name}' is not JSON: {error}.", "Remove it, or correct it.") from None
    if not isinstance(values, dict) or not isinstance(values.get("roles") or {}, dict):
        raise InputError(f"{DESCRIPTION} of '{path.name}' holds no object with roles.", "Remove it, or correct it.")
    return DataDescription.from_dict(values)


def _own_files(folder: Path) -> list[Path]:
    """Return the files of a folder that may hold rows."""
    passed_over = {DESCRIPTION, _REPORT}
    files = (item for item in folder.iterdir() if item.is_file() and item.name not in passed_over)
    return sorted(item for item in files if not item.name.startswith((".", "_")))


def _is_ours(path: Path, folder: Path) -> bool:
    """Return whether a table is one that `write_data` wrote, with the types that its columns have."""
    return path.is_dir() and (path / DESCRIPTION).is_file() and [file.name for file in _own_files(folder)] == [_TABLE]


def _sources(path: Path) -> list[Source]:
    if path.is_file() and path.name != MLTABLE:
        return [Source(path)]
    folder = path if path.is_dir() else path.parent
    if (folder / MLTABLE).is_file():
        return mltable_sources(folder)
    files = _own_files(folder)
    if not files:
        raise InputError(f"The folder '{folder.name}' has no table.", "Give one with a Parquet or CSV file.")
    if len(files) > _MAX_FILES:
        raise LimitError(f"The folder '{folder.name}' has {len(files):,} files.", f"Give at most {_MAX_FILES:,}.")
    return [Source(file) for file in files]


def _read_sources(sources: Sequence[Source], *, ours: bool) -> tuple[pd.DataFrame, list[str], JsonObject | None]:
    """Return the rows of all files, sentences about their reading, and the grammar of the first."""
    import pandas as pd

    from core.datasets import Limits, load_frame, read_table
    from core.grammar import Reading

    limits = Limits.from_settings()
    if ours:
        return load_frame(sources[0].path), [], None
    first, notes, frames = None, list[str](), []
    for source in sources:
        table = read_table(source.path, options=source.options, like=first)
        report = table.report
        where = f"{source.path.name}: " if len(sources) > 1 else ""
        if report.skipped:
            notes.append(f"{where}{report.skipped:,} rows could not be read and are left out.")
        notes += [f"{where}{notice}" for notice in report.notices] if first is None else []
        notes += [f"{where}{count:,} cells of '{name}' could not be read." for name, count in report.lost.items()]
        if first is not None and set(table.columns) != set(first.columns):
            differing = sorted(set(table.columns) ^ set(first.columns))
            raise InputError(
                f"'{source.path.name}' and '{sources[0].path.name}' do not have the same columns "
                f"({', '.join(map(repr, differing[:5]))}).",
                "Give files with the same columns, or each in a folder of its own.",
            )
        frames.append(table.frame if first is None else table.frame[first.columns])
        first = first or table
        limits.check_shape(sum(map(len, frames)), len(first.columns))
    assert first is not None
    if len(frames) > 1:
        notes.append(f"{len(frames):,} files were read as one table.")
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    return frame, notes, json.loads(Reading.of(first.report).to_json())
