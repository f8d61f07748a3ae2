"""Labels of a row in one cell: one, or any number of them with semicolons between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["JOIN", "MULTILABEL", "has_label", "join_labels"]

JOIN = "; "
"""What is between the labels of a row where they are written as one text."""
MULTILABEL = "multilabel"
"""Name of the task whose rows have any number of labels."""


def join_labels(names: Iterable[str]) -> str:
    """Return labels as one text.

    Examples
    --------
    >>> join_labels(["news", "sport"])
    'news; sport'
    """
    return JOIN.join(names)


def has_label(cells: Iterable[object], label: str, *, several: bool = False) -> NDArray[np.bool_]:
    """Return whether each row has a label.

    Parameters
    ----------
    cells : iterable
        Labels of the rows, as values or as text.
    label : str
        The label.
    several : bool, default=False
        Whether a cell holds any number of labels.

    Examples
    --------
    >>> has_label(["news; sport", "news"], "sport", several=True).tolist()
    [True, False]
    """
    texts = (str(cell) for cell in cells)
    return np.array([label in text.split(JOIN) if several else text == label for text in texts], dtype=bool)
