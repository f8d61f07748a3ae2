"""Whether the labels that came are distributed as those of the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.monitoring.column_drift import ColumnDrift
from core.monitoring.comparison import compare

if TYPE_CHECKING:
    import pandas as pd

    from core.monitoring.label_book import LabelBook

__all__ = ["compare_labels"]


def compare_labels(
    reference: pd.Series, labels: LabelBook, *, alpha: float = 0.05, relevance: float = 0.05
) -> ColumnDrift:
    """Return whether the labels of a batch are distributed as those of the reference (target drift).

    Parameters
    ----------
    reference : Series
        Labels of the reference.
    labels : LabelBook
        Labels of the batch that have come.
    alpha, relevance : float, default=0.05
        Level of the test, and size of an effect from which a significant change counts.

    Returns
    -------
    ColumnDrift
        Result by the name "y_true"; "not enough data" below 50 labels.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.monitoring import LabelBook
    >>> delivery = pd.DataFrame({"row_id": range(100), "y_true": ["yes"] * 90 + ["no"] * 10})
    >>> book, _ = LabelBook.of(range(100)).add(delivery)
    >>> compare_labels(pd.Series(["yes", "no"] * 100), book).drifted
    True
    """
    import pandas as pd

    present = reference.dropna()
    known = labels.labels.infer_objects()
    frames = pd.DataFrame({"y_true": present.array}), pd.DataFrame({"y_true": known.array})
    return compare(*frames, alpha=alpha, relevance=relevance)["y_true"]
