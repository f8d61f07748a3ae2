"""Labels of two classes as positive and negative."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.favorable import favorable_outcome
from core.monitoring.cell_values import level_text
from core.registry import unknown_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["positive_rows"]


def positive_rows(labels: pd.Series, positive_label: object = None) -> tuple[NDArray[np.bool_], str]:
    """Return which rows are positive, and a sentence where that had to be decided.

    Parameters
    ----------
    labels : Series
        Labels without missing ones.
    positive_label : label, optional
        Label that counts as positive. By default 1 among 0 and 1, True, the one that a known word says is favorable, or
        the last in sorted order.

    Raises
    ------
    InputError
        When there are more than two labels and none was named, or the named one is not among them.

    Examples
    --------
    >>> import pandas as pd
    >>> rows, note = positive_rows(pd.Series(["yes", "no", "no"]))
    >>> rows.tolist(), note
    ([True, False, False], "The positive label is 'yes'.")
    """
    distinct = sorted(labels.unique().tolist(), key=lambda label: (str(type(label)), label))
    texts = [level_text(label) for label in distinct]
    if positive_label is not None:
        wanted = level_text(positive_label)
        if wanted not in texts:
            raise InputError(f"No row of the reference has the label '{wanted}'.", unknown_name(wanted, texts))
        return labels.map(level_text).eq(wanted).to_numpy(dtype=bool), ""
    if len(distinct) > 2:
        raise InputError(
            f"The reference has {len(distinct):,} labels, and the scores are about one of them.",
            "Name the positive label, or choose a metric of numbers where the labels are numbers.",
        )
    if set(texts) <= {"0", "1"} or set(texts) <= {"False", "True"}:
        return labels.map(level_text).isin(["1", "True"]).to_numpy(dtype=bool), ""
    favorable = favorable_outcome(distinct)
    label = favorable.label if favorable is not None else distinct[-1]
    return labels.eq(label).to_numpy(dtype=bool), f"The positive label is '{level_text(label)}'."
