"""The inputs of a model, written as plain files for the measuring process: nothing is pickled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.columns import require_columns
from core.edge.latency.measuring.requests import count_rows, stack
from core.edge.latency.messages import (
    CellInputs,
    FeedInputs,
    FrameInputs,
    InputFiles,
    RandomInputs,
    TableInputs,
    TextInputs,
)
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from core.edge.export.metadata import Column
    from core.finetune import Text

__all__ = ["Cells", "ModelInputs", "RawInputs", "Texts", "write_frame", "write_inputs", "write_texts"]

_ROWS = 10_000


@dataclass(frozen=True)
class Texts:
    """Texts as a model's inputs.

    Parameters
    ----------
    texts : sequence of str or of (str, str)
        The texts, or pairs of them; at most the first 10,000 are used.
    tokenizer_path : path
        Path of the model's ``tokenizer.json``.
    max_length : int, default=128
        Tokens per text that the model reads.

    Examples
    --------
    >>> Texts(["a good film"], "tokenizer.json").max_length
    128
    """

    texts: Sequence[Text]
    tokenizer_path: str | Path
    max_length: int = 128


@dataclass(frozen=True)
class Cells:
    """Rows of a table as the cells of a CSV file, which the code of an edge bundle reads without pandas.

    Parameters
    ----------
    frame : DataFrame
        The rows; at most the first 10,000 are used.
    """

    frame: pd.DataFrame


RawInputs: TypeAlias = Union["pd.DataFrame", Cells, Texts]
"""Rows of a table, or texts, before any preprocessing."""

ModelInputs: TypeAlias = RawInputs | Sequence[Mapping[str, ArrayLike]] | None
"""What `measure_latency` takes as inputs."""


def _random_inputs(path: Path) -> RandomInputs:
    """Return what random inputs have to keep to; refuse a graph that does not say their shapes."""
    from core.edge.inspection.graph import graph_of, load
    from core.edge.inspection.id_limits import id_limits

    try:
        model = load(path)
    except InputError:  # what is wrong with it, ONNX Runtime says when it runs it
        return RandomInputs()
    for port in graph_of(model).inputs:
        if port.shape is None:
            raise InputError(
                f"The file does not say which shape its input '{port.name}' has.",
                "Give rows, texts or arrays to measure with, or export the model with shapes.",
            )
    return RandomInputs(id_limits(model))


def write_inputs(inputs: ModelInputs, path: Path, folder: Path, *, batch_size: int, preprocessing: bool) -> InputFiles:
    """Write inputs into the folder, and return how the measuring process reads them.

    Parameters
    ----------
    inputs : None, DataFrame, Cells, Texts or sequence of dict
        See `measure_latency`.
    path : Path
        The model's file.
    folder : Path
        Folder to write to.
    batch_size : int
        Rows per request.
    preprocessing : bool
        Whether requests are raw rows or texts.

    Raises
    ------
    InputError
        When there are none, or their type is unknown.
    """
    if preprocessing and not (isinstance(inputs, Texts | Cells) or _is_frame(inputs)):
        raise InputError(
            "Preprocessing can be timed for texts and rows of a table only.",
            "Give Texts, Cells or a DataFrame as inputs.",
        )
    if inputs is None:
        return _random_inputs(path)
    if isinstance(inputs, Texts):
        return write_texts(inputs, folder)
    if isinstance(inputs, Cells):
        return _write_cells(inputs.frame, path, folder)
    if _is_frame(inputs):
        return write_frame(inputs, folder) if preprocessing else _write_table(inputs, path, folder)
    if _is_feeds(inputs):
        return _write_feeds(inputs, folder, batch_size)
    raise InputError(
        f"Inputs of type '{type(inputs).__name__}' cannot be fed to a model.",
        "Give None, a DataFrame, Cells, Texts, or a list of dictionaries of arrays.",
    )


def write_frame(frame: pd.DataFrame, folder: Path) -> FrameInputs:
    """Write a table's rows as they are.

    Raises
    ------
    InputError
        When there are none.
    """
    _require_rows(len(frame))
    frame.head(_ROWS).to_parquet(folder / "frame.parquet", index=False)
    return FrameInputs()


def _write_table(frame: pd.DataFrame, path: Path, folder: Path) -> TableInputs:
    from core.edge.scoring.feeds import table_feeds

    _require_rows(len(frame))
    return _save(folder, table_feeds(frame.head(_ROWS), _columns(path)))


def _write_cells(frame: pd.DataFrame, path: Path, folder: Path) -> CellInputs:
    columns = _columns(path)
    _require_rows(len(frame))
    require_columns(frame, [column.name for column in columns])
    rows = frame.head(_ROWS)
    cells = {
        column.name: [str(cell) for cell in rows[column.name].astype(object).where(rows[column.name].notna(), "")]
        for column in columns
    }
    (folder / "cells.json").write_text(json.dumps(cells), encoding="utf-8")
    return CellInputs(columns)


def _columns(path: Path) -> tuple[Column, ...]:
    from core.edge.export.metadata import Metadata

    columns = Metadata.read(path).columns
    if not columns:
        raise InputError(
            f"'{path.name}' does not say which columns it takes.",
            "Give arrays by input, or a file that Plumbline exported from a model of a table.",
        )
    return columns


def write_texts(inputs: Texts, folder: Path) -> TextInputs:
    """Write texts; the tokenizer stays where it is.

    Raises
    ------
    InputError
        When there are none, one is something else, or the tokenizer is missing.
    """
    texts = list(inputs.texts)[:_ROWS]
    _require_rows(len(texts))
    wrong = [text for text in texts if not isinstance(text, str | tuple)]
    if wrong:
        raise InputError(f"{wrong[0]!r} is not a text.", "Give a list of texts.")
    if not Path(inputs.tokenizer_path).is_file():
        raise InputError(f"There is no tokenizer '{Path(inputs.tokenizer_path).name}'.", "Give a tokenizer.json.")
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    return TextInputs(str(Path(inputs.tokenizer_path).resolve()), inputs.max_length)


def _write_feeds(inputs: Sequence[Mapping[str, ArrayLike]], folder: Path, batch_size: int) -> InputFiles:
    _require_rows(len(inputs))
    feeds = [{name: np.asarray(value) for name, value in feed.items()} for feed in inputs[:_ROWS]]
    stacked = stack(feeds)
    if stacked is not None:
        return _save(folder, stacked)
    names = list(feeds[0])
    row_counts = {count_rows(feed) or batch_size for feed in feeds}
    if any(list(feed) != names for feed in feeds) or batch_size not in row_counts:
        raise InputError(
            f"The inputs differ in shape, so they cannot be put together to batches of {batch_size}.",
            "Give inputs of the same names and shapes, or of batch_size rows each.",
        )
    arrays = {
        f"{number}.{index}": _as_text(feed[name])
        for number, feed in enumerate(feeds)
        for index, name in enumerate(names)
    }
    np.savez(folder / "inputs.npz", allow_pickle=False, **arrays)
    return FeedInputs(names, len(feeds))


def _save(folder: Path, table: Mapping[str, NDArray[Any]]) -> TableInputs:
    """Write one array per input, each with all rows; a zip refuses odd names, so they are numbered."""
    np.savez(
        folder / "inputs.npz",
        allow_pickle=False,
        **{str(index): _as_text(array) for index, array in enumerate(table.values())},
    )
    return TableInputs(list(table))


def _as_text(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(str) if array.dtype.kind == "O" else array


def _is_frame(inputs: ModelInputs) -> TypeGuard[pd.DataFrame]:
    return type(inputs).__name__ == "DataFrame" and hasattr(inputs, "columns")


def _is_feeds(inputs: ModelInputs) -> TypeGuard[Sequence[Mapping[str, ArrayLike]]]:
    if not isinstance(inputs, Sequence) or isinstance(inputs, str):
        return False
    return all(isinstance(feed, Mapping) for feed in inputs)


def _require_rows(count: int) -> None:
    if not count:
        raise InputError("There are no rows to feed the model with.", "Give at least one, or None for random values.")
