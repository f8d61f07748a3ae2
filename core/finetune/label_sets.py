"""Cells and columns that say which labels a text has: any number of them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.errors import InputError
from core.label_cells import JOIN, join_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "LISTS",
    "SEPARATORS",
    "LabelSets",
    "known_label_sets",
    "label_matrix",
    "label_order",
    "label_texts",
    "likely_separator",
    "read_cells",
    "read_columns",
]

LISTS = "lists"
"""Name of cells that hold lists, such as ["news", "sport"]."""
SEPARATORS = ("|", ";", ",", "\n")
_MOST_DISTINCT = 2 / 3  # labels to cells: where splitting saves less, the signs belong to the labels
_YES = {"1", "1.0", "true", "yes", "y", "t"}
_NO = {"0", "0.0", "false", "no", "n", "f"}


@dataclass(frozen=True)
class LabelSets:
    """Labels of some texts.

    Parameters
    ----------
    names : list of str
        Labels, whole numbers by size and then texts by the alphabet.
    y : array of shape (n, labels)
        1 where a text has the label, else 0.
    separator : str
        Sign between the labels of a cell, `LISTS`, or nothing where each label has a column.
    """

    names: list[str]
    y: NDArray[np.int8]
    separator: str = ""


def label_texts(labels: Sequence[str], y: NDArray[np.generic]) -> NDArray[np.object_]:
    """Return the label of each row as text, or its labels with semicolons between them.

    Parameters
    ----------
    labels : sequence of str
        Names of the classes or labels.
    y : array of shape (n,) or (n, labels)
        Class codes, or 1 where a row has a label.

    Examples
    --------
    >>> label_texts(["news", "sport"], np.array([[1, 1], [0, 0]])).tolist()
    ['news; sport', '']
    """
    if y.ndim == 1:
        return np.asarray(labels, dtype=object)[y.astype(np.intp)]
    texts = np.empty(len(y), dtype=object)
    texts[:] = [join_labels(name for name, has in zip(labels, row, strict=True) if has) for row in y.tolist()]
    return texts


def label_matrix(labels: Sequence[str], texts: Iterable[object]) -> NDArray[np.int8]:
    """Return 1 where a row has a label, from what `label_texts` made of rows with any number of labels.

    Parameters
    ----------
    labels : sequence of str
        Names of the labels.
    texts : iterable of str
        Labels of each row, with semicolons between them.

    Examples
    --------
    >>> label_matrix(["news", "sport"], ["news; sport", ""]).tolist()
    [[1, 1], [0, 0]]
    """
    sets = [set(str(text).split(JOIN)) for text in texts]
    return np.array([[name in names for name in labels] for names in sets], dtype=np.int8).reshape(-1, len(labels))


def likely_separator(cells: Sequence[object]) -> str | None:
    """Return the sign that separates labels in cells, or `LISTS`; None where a cell seems to hold one label.

    A sign separates labels where splitting leaves at most two thirds as many different labels as there are
    different cells; of several signs the one that leaves the fewest.

    Parameters
    ----------
    cells : sequence
        Cells of a column, without missing ones.

    Examples
    --------
    >>> likely_separator(["news,sport", "sport", "news", "sport,weather", "news,weather", "news,sport,weather"] * 2)
    ','
    >>> likely_separator(["Paris, France", "Rome, Italy"]) is None
    True
    """
    best, labels = _best_separator(cells)
    distinct = len({str(cell).strip() for cell in cells})
    return best if best == LISTS or labels <= _MOST_DISTINCT * distinct + 1e-9 else None


def _best_separator(cells: Sequence[object]) -> tuple[str | None, int]:
    """Return the sign of those in cells that leaves the fewest labels, and their number; or that cells are lists."""
    if any(isinstance(cell, list | tuple | np.ndarray) for cell in cells):
        return LISTS, 0
    texts = {str(cell).strip() for cell in cells}
    if texts and all(_as_list(text) is not None for text in texts):
        return LISTS, 0
    counts = {
        sign: len({label for text in texts for label in _split(text, sign)})
        for sign in SEPARATORS
        if any(sign in text for text in texts)
    }
    if not counts:
        return None, 0
    best = min(counts, key=lambda sign: (counts[sign], SEPARATORS.index(sign)))
    return best, counts[best]


def read_cells(values: pd.Series, separator: str | None) -> LabelSets:
    """Read cells that hold the labels of a text.

    Parameters
    ----------
    values : Series
        Cells without missing ones: texts with a sign between labels, or lists, also as JSON.
    separator : str or None
        Sign between labels, or `LISTS`; None chooses the one of those in the cells that leaves the fewest labels.

    Raises
    ------
    InputError
        When no cell holds such a sign, a cell is not a list, or a label cannot be written.
    """
    cells = values.tolist()
    chosen = separator or _best_separator(cells)[0]
    if chosen is None:
        raise InputError(
            f"No sign separates labels in '{values.name}': every cell holds one label.",
            "Set label_separator to the sign between the labels of a text, or the task to classification.",
        )
    sets = [_labels_of(cell, chosen, str(values.name)) for cell in cells]
    names = sorted({name for labels in sets for name in labels}, key=label_order)
    _check(names, str(values.name))
    code = {name: position for position, name in enumerate(names)}
    y = np.zeros((len(cells), len(names)), dtype=np.int8)
    for row, labels in enumerate(sets):
        y[row, [code[name] for name in labels]] = 1
    return LabelSets(names, y, chosen)


def known_label_sets(
    cells: pd.Series, labels: Sequence[str], separator: str | None
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Return the labels of rows that a model did not learn from, and which rows have none but its labels.

    Parameters
    ----------
    cells : Series
        Cells with the labels of a row; missing ones are not known.
    labels : sequence of str
        Labels of the model.
    separator : str or None
        Sign between labels, or `LISTS`; None chooses that by which most rows are known.

    Examples
    --------
    >>> y, known = known_label_sets(pd.Series(["news,sport", "weather", None]), ["news", "sport"], None)
    >>> y.tolist(), known.tolist()
    ([[1, 1], [0, 0], [0, 0]], [True, False, False])
    """
    signs = [separator] if separator is not None else [LISTS, *SEPARATORS]
    read = [_known(cells, list(labels), sign) for sign in signs]
    return max(read, key=lambda part: int(part[1].sum()))


def _known(cells: pd.Series, labels: list[str], sign: str) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    y, known = np.zeros((len(cells), len(labels)), dtype=np.int8), np.zeros(len(cells), dtype=bool)
    code = {name: position for position, name in enumerate(labels)}
    for row, (cell, missing) in enumerate(zip(cells.tolist(), cells.isna().tolist(), strict=True)):
        if missing or (sign == LISTS and isinstance(cell, str) and _as_list(cell.strip()) is None):
            continue
        names = _labels_of(cell, sign, str(cells.name))
        if all(name in code for name in names):
            known[row] = True
            y[row, [code[name] for name in names]] = 1
    return y, known


def read_columns(frame: pd.DataFrame) -> LabelSets:
    """Read columns of yes and no, one for each label.

    Parameters
    ----------
    frame : DataFrame
        The columns, without missing cells: 0 and 1, true and false, or yes and no.

    Raises
    ------
    InputError
        When a cell is neither yes nor no, or a label cannot be written.
    """
    columns = []
    for name in frame.columns:
        texts = frame[name].astype(str).str.strip().str.lower()
        yes = texts.isin(_YES)
        other = ~(yes | texts.isin(_NO))
        if other.any():
            raise InputError(
                f"The column '{name}' holds {str(frame[name][other].iloc[0])!r}, which is neither yes nor no.",
                "Give a column of 0 and 1 for each label.",
            )
        columns.append(yes.to_numpy(dtype=np.int8))
    names = [str(name) for name in frame.columns]
    _check(names, ", ".join(names[:3]))
    return LabelSets(names, np.column_stack(columns))


def _check(names: list[str], column: str) -> None:
    written = next((name for name in names if JOIN.strip() in name), None)
    if written is not None:
        raise InputError(
            f"The label {written!r} in '{column}' holds a semicolon, which separates the labels of a text in results.",
            "Write the label without it, or set label_separator to a semicolon.",
        )


def _labels_of(cell: object, separator: str, column: str) -> list[str]:
    if separator != LISTS:
        return _split(str(cell), separator)
    labels = list(cell) if isinstance(cell, list | tuple | np.ndarray) else _as_list(str(cell))
    if labels is None:
        raise InputError(
            f"{str(cell)[:80]!r} in '{column}' is not a list of labels.",
            'Write lists such as ["news", "sport"], or set label_separator to the sign between labels.',
        )
    return list(dict.fromkeys(name for name in (str(label).strip() for label in labels) if name))


def _as_list(text: str) -> list[Any] | None:
    """Return the list that a text writes as JSON or as Python does; None where it is none."""
    if not (text.startswith("[") and text.endswith("]")):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
            return value
    return None


def _split(text: str, separator: str) -> list[str]:
    return list(dict.fromkeys(part for part in (item.strip() for item in text.split(separator)) if part))


def label_order(name: str) -> tuple[int, int, str]:
    """Return what labels are sorted by: whole numbers by size, then texts by the alphabet."""
    return (0, int(name), name) if re.fullmatch(r"-?\d+", name) else (1, 0, name)
