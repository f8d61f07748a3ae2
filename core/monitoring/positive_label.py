"""Labels of two classes as positive and negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.favorable import favorable_outcome
from core.monitoring.cell_values import level_text
from core.registry import unknown_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PositiveRows", "positive_rows"]


@dataclass(frozen=True, eq=False)
class PositiveRows:
    """Which rows are positive.

    Parameters
    ----------
    rows : array of bool of shape (n,)
        Whether a row has the positive label.
    label : str
        Positive label, as a text.
    note : str
        Sentence where the label had to be decided; else empty.
    """

    rows: NDArray[np.bool_]
    label: str
    note: str = ""


def positive_rows(labels: pd.Series, positive_label: object = None, *, may_lack: bool = False) -> PositiveRows:
    """Return which rows are positive, and a sentence where that had to be decided.

    Parameters
    ----------
    labels : Series
        Labels without missing ones.
    positive_label : label, optional
        Label that counts as positive. By default 1 among 0 and 1, True, the one that a known word says is favorable, or
        the last in sorted order.
    may_lack : bool, default=False
        Whether there may be no row with the named label, as in a part of a batch.

    Raises
    ------
    InputError
        When there are more than two labels and none was named, the named one is not among them, or a single label does
        not say which one is positive.

    Examples
    --------
    >>> import pandas as pd
    >>> positive = positive_rows(pd.Series(["yes", "no", "no"]))
    >>> positive.rows.tolist(), positive.note
    ([True, False, False], "The positive label is 'yes'.")
    """
    distinct = sorted(labels.unique().tolist(), key=lambda label: (str(type(label)), label))
    texts = [level_text(label) for label in distinct]
    if positive_label is not None:
        wanted = level_text(positive_label)
        if wanted not in texts and not may_lack:
            raise InputError(f"No row has the label '{wanted}'.", unknown_name(wanted, texts))
        return PositiveRows(labels.map(level_text).eq(wanted).to_numpy(dtype=bool), wanted)
    if len(distinct) > 2:
        raise InputError(
            f"The rows have {len(distinct):,} labels, and the scores are about one of them.",
            "Name the positive label, or choose a metric of numbers where the labels are numbers.",
        )
    for negative, positive in (("0", "1"), ("False", "True")):
        if set(texts) <= {negative, positive}:
            return PositiveRows(labels.map(level_text).eq(positive).to_numpy(dtype=bool), positive)
    if len(distinct) == 1:
        raise InputError(
            f"All labels are '{texts[0]}', which does not say whether it is the positive one.",
            "Name the positive label.",
        )
    favorable = favorable_outcome(distinct)
    label = favorable.label if favorable is not None else distinct[-1]
    text = level_text(label)
    return PositiveRows(labels.eq(label).to_numpy(dtype=bool), text, f"The positive label is '{text}'.")
