"""The test of missing cells: a table of two rows and two columns."""

from __future__ import annotations

import numpy as np

from core.evaluation import mover, wilson
from core.monitoring.column_sketches import ColumnSketch
from core.monitoring.outcomes import DriftOutcome, too_few

__all__ = ["APPEARANCE", "compare_missing", "is_relevant"]

APPEARANCE = 0.2
"""Part of the relevant size that counts where missing cells appear or disappear altogether."""

_MIN_EXPECTED = 10.0


def compare_missing(reference: ColumnSketch, current: ColumnSketch) -> DriftOutcome | None:
    """Return the test of whether cells are missing as often; None where none is missing on either side.

    Chi-square without continuity correction; Fisher's exact test (1935) where fewer than 10 rows are expected in a
    cell of the table. The effect is the difference of the shares, with Newcombe's interval (1998).

    Parameters
    ----------
    reference, current : ColumnSketch
        The two columns.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.monitoring import sketch
    >>> before, after = sketch(pd.DataFrame({"a": [1.0] * 100})), sketch(pd.DataFrame({"a": [1.0] * 75 + [None] * 25}))
    >>> outcome = compare_missing(before["a"], after["a"])
    >>> outcome.effect, round(outcome.p, 9)
    (0.25, 9e-08)
    """
    n, m, k, j = reference.rows, current.rows, reference.missing, current.missing
    if k + j == 0:
        return None
    few = too_few("missing", n, m)
    if few is not None:
        return few
    if k + j == n + m:
        return None
    share = (k + j) / (n + m)
    statistic = (k / n - j / m) ** 2 / (share * (1 - share) * (1 / n + 1 / m))
    if min(share, 1 - share) * min(n, m) < _MIN_EXPECTED:
        from scipy.stats import fisher_exact

        p = float(fisher_exact([[k, n - k], [j, m - j]]).pvalue)
    else:
        from scipy.special import chdtrc

        p = float(chdtrc(1, statistic))
    low, high = mover(j / m, wilson(j, m), k / n, wilson(k, n))
    ends = np.abs([float(low), float(high)])
    around = float(low) <= 0 <= float(high)
    return DriftOutcome(
        "missing",
        statistic,
        min(p, 1.0),
        abs(j / m - k / n),
        0.0 if around else float(ends.min()),
        float(ends.max()),
        values={"reference": k / n, "current": j / m},
    )


def is_relevant(outcome: DriftOutcome, relevance: float) -> bool:
    """Return whether a change of missing cells is large enough to matter.

    That is a difference of shares of at least the relevant size, or a fifth of it where cells are missing on one side
    alone: values that begin or cease to be missing have a cause.

    Parameters
    ----------
    outcome : DriftOutcome
        Outcome of `compare_missing`.
    relevance : float
        Size from which a change matters.
    """
    if outcome.effect is None:
        return False
    one_sided = 0.0 in (outcome.values["reference"], outcome.values["current"])
    return outcome.effect >= relevance * (APPEARANCE if one_sided else 1.0) - 1e-12  # rounding of shares
