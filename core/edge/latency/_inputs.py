"""What a model is fed with, written as plain files for the measuring process: nothing is pickled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.edge.latency.measuring.requests import rows_of, stack
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from core.edge.export.metadata import Column

__all__ = ["Cells", "Texts", "write_frame", "write_inputs", "write_texts"]

_ROWS = 10_000


@dataclass(frozen=True)
class Texts:
    """Texts to feed a model with.

    Parameters
    ----------
    texts : sequence of str
        At most the first 10,000 are used.
    tokenizer_path : path
        The model's ``tokenizer.json``.
    max_length : int
        Tokens that are read of a text.

    Examples
    --------
    >>> Texts(["a good film"], "tokenizer.json").max_length
    128
    """

    texts: Sequence[str]
    tokenizer_path: str | Path
    max_length: int = 128


@dataclass(frozen=True)
class Cells:
    """Rows of a table as the cells of a CSV file, to be typed by the code of an edge bundle: no pandas there.

    Parameters
    ----------
    frame : DataFrame
        At most the first 10,000 rows are used.
    """

    frame: pd.DataFrame


def write_inputs(inputs: Any, path: Path, folder: Path, *, batch_size: int, preprocessing: bool) -> dict[str, Any]:
    """Write inputs into the folder, and return what the measuring process must know of them.

    Raises
    ------
    InputError
        When there is none, or they are of no known form.
    """
    if preprocessing and not (isinstance(inputs, Texts | Cells) or _is_frame(inputs)):
        raise InputError(
            "Pre-processing is of texts or rows of a table.", "Give Texts, Cells or a DataFrame as inputs."
        )
    if inputs is None:
        return {"form": "random"}
    if isinstance(inputs, Texts):
        return write_texts(inputs, folder)
    if isinstance(inputs, Cells):
        return _write_cells(inputs.frame, path, folder)
    if _is_frame(inputs):
        return write_frame(inputs, folder) if preprocessing else _write_table(inputs, path, folder)
    if isinstance(inputs, Sequence) and not isinstance(inputs, str) and all(isinstance(i, Mapping) for i in inputs):
        return _write_feeds(inputs, folder, batch_size)
    raise InputError(
        f"Inputs of type '{type(inputs).__name__}' cannot be fed to a model.",
        "Give None, a DataFrame, Cells, Texts, or a list of dictionaries of arrays.",
    )


def write_frame(frame: pd.DataFrame, folder: Path) -> dict[str, Any]:
    """Write a table's rows as they are.

    Raises
    ------
    InputError
        When there is no row.
    """
    _some(len(frame))
    frame.head(_ROWS).to_parquet(folder / "frame.parquet", index=False)
    return {"form": "frame"}


def _write_table(frame: pd.DataFrame, path: Path, folder: Path) -> dict[str, Any]:
    from core.edge.scoring.feeds import table_feeds

    _some(len(frame))
    return _save(folder, table_feeds(frame.head(_ROWS), _columns(path)))


def _write_cells(frame: pd.DataFrame, path: Path, folder: Path) -> dict[str, Any]:
    from core.features import require_columns

    columns = _columns(path)
    _some(len(frame))
    require_columns(frame, [column.name for column in columns])
    rows = frame.head(_ROWS)
    cells = {each.name: rows[each.name].astype(object).where(rows[each.name].notna(), "") for each in columns}
    (folder / "cells.json").write_text(json.dumps({name: list(map(str, part)) for name, part in cells.items()}))
    return {"form": "cells", "columns": [each.to_dict() for each in columns]}


def _columns(path: Path) -> tuple[Column, ...]:
    from core.edge.export.metadata import Metadata

    columns = Metadata.read(path).columns
    if not columns:
        raise InputError(
            f"'{path.name}' does not say which columns it takes.",
            "Give arrays by input, or a file that Plumbline exported from a model of a table.",
        )
    return columns


def write_texts(inputs: Texts, folder: Path) -> dict[str, Any]:
    """Write texts; the tokenizer stays where it is.

    Raises
    ------
    InputError
        When there is none, one is something else, or the tokenizer is missing.
    """
    texts = list(inputs.texts)[:_ROWS]
    _some(len(texts))
    wrong = [text for text in texts if not isinstance(text, str)]
    if wrong:
        raise InputError(f"{wrong[0]!r} is no text.", "Give a list of texts.")
    if not Path(inputs.tokenizer_path).is_file():
        raise InputError(f"There is no tokenizer '{Path(inputs.tokenizer_path).name}'.", "Give a tokenizer.json.")
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    tokenizer = str(Path(inputs.tokenizer_path).resolve())
    return {"form": "texts", "tokenizer": tokenizer, "max_length": inputs.max_length}


def _write_feeds(inputs: Sequence[Mapping[str, Any]], folder: Path, batch_size: int) -> dict[str, Any]:
    _some(len(inputs))
    feeds = [{name: np.asarray(value) for name, value in each.items()} for each in inputs[:_ROWS]]
    whole = stack(feeds)
    if whole is not None:
        return _save(folder, whole)
    if any(list(each) != list(feeds[0]) for each in feeds) or batch_size not in {
        rows_of(e) or batch_size for e in feeds
    }:
        raise InputError(
            f"The inputs differ in shape, so that no batches of {batch_size} can be made of them.",
            "Give inputs of the same names and shapes, or of as many rows each as batch_size says.",
        )
    names = list(feeds[0])
    np.savez(
        folder / "inputs.npz",
        **{f"{number}.{at}": _text(each[name]) for number, each in enumerate(feeds) for at, name in enumerate(names)},
    )
    return {"form": "feeds", "names": names, "count": len(feeds)}


def _save(folder: Path, table: Mapping[str, Any]) -> dict[str, Any]:
    """Write one array an input, each with all rows; a zip takes no odd names, so they are numbered."""
    np.savez(folder / "inputs.npz", **{str(place): _text(array) for place, array in enumerate(table.values())})
    return {"form": "table", "names": list(table)}


def _text(array: Any) -> Any:
    return array.astype(str) if array.dtype.kind == "O" else array


def _is_frame(inputs: Any) -> bool:
    return type(inputs).__name__ == "DataFrame" and hasattr(inputs, "columns")


def _some(count: int) -> None:
    if not count:
        raise InputError("There is no row to feed the model with.", "Give at least one, or None for random values.")
