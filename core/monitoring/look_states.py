"""What a look at a batch says: fine, worth a look, an alarm, or not enough data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from core.jsonable import JsonObject, jsonable
from core.monitoring.adjustment import adjust_p_values
from core.monitoring.alpha_spending import look_alpha
from core.monitoring.column_drift import ColumnDrift
from core.monitoring.drift_report import DriftReport

__all__ = ["LOOK_STATES", "LookLevel", "LookState", "judge_look", "judge_p_values", "judge_series", "worst_state"]

LookLevel: TypeAlias = Literal["fine", "not enough data", "look", "alarm"]

LOOK_STATES: dict[LookLevel, str] = {
    "fine": "Fine",
    "not enough data": "Not enough data",
    "look": "Worth a look",
    "alarm": "Alarm",
}
"""Titles of the states, the worst last."""

_CONCEPT_DRIFT = (
    "Without labels it cannot be seen whether the outcome depends on the columns in another way than before."
)


@dataclass(frozen=True)
class LookState:
    """The state of a batch within a series.

    Parameters
    ----------
    state : {"fine", "not enough data", "look", "alarm"}
        *look*: this batch differs by itself, which happens by chance in a share alpha of the batches. *alarm*: it
        differs by more than chance explains in the whole series, or its data are broken.
    look : int
        Number of the look in the series.
    level : float
        Level that this look has of the series' error rate.
    reasons : tuple of str
        Sentences that say why, the most important first.
    caveat : str, default=""
        Sentence about what this state cannot say.
    """

    state: LookLevel
    look: int
    level: float
    reasons: tuple[str, ...]
    caveat: str = ""

    def to_dict(self) -> JsonObject:
        """Return the state as JSON-serializable values."""
        return dict(jsonable(vars(self)))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LookState:
        """Read what `to_dict` wrote."""
        return cls(**{**values, "reasons": tuple(values["reasons"])})


def judge_look(report: DriftReport, *, look: int, alpha: float = 0.05) -> LookState:
    """Return the state of a batch by the report of its drift.

    An alarm needs a column, or the score, whose adjusted p-value is below the level that `look_alpha` leaves for this
    look, and whose change is large enough to matter; or an alert about the data, such as a missing column, which does
    not depend on chance.

    Parameters
    ----------
    report : DriftReport
        Comparison of the batch with its reference.
    look : int
        Number of the look in the series, from 1. A batch that is looked at again keeps its number.
    alpha : float, default=0.05
        Probability of any false alarm in the whole series.

    See Also
    --------
    judge_series : The states of all batches of a series.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from core.monitoring import compare
    >>> random = np.random.default_rng(0)
    >>> before, now = pd.DataFrame({"x": random.normal(size=300)}), pd.DataFrame({"x": random.normal(1, size=300)})
    >>> state = judge_look(compare(before, now), look=12)
    >>> state.state, state.reasons
    ('alarm', ("'x': median −0.07735 before, 0.9801 now (distance 0.42 [0.31, 0.53])",))
    """
    level = look_alpha(look, alpha)
    results = [*report.results, *([report.score] if report.score is not None else [])]  # the cause before its effect
    drifted = [result for result in results if result.drifted]
    limit = level if report.score is None else level / 2  # columns and score are two families of tests
    certain = [result for result in drifted if result.p_adjusted is not None and result.p_adjusted < limit]
    broken = [finding.message for finding in report.data_quality if finding.level == "alert"]
    words = [
        f"{_title(result, report)}: {result.reason}"
        for result in (*certain, *(other for other in drifted if other not in certain))
    ]
    if broken or certain:
        return LookState("alarm", look, level, (*broken, *words))
    if drifted:
        return LookState("look", look, level, tuple(words), _CONCEPT_DRIFT)
    if not any(result.p_adjusted is not None for result in results):
        reason = f"The batch has {report.current_rows:,} rows, too few to compare any column."
        return LookState("not enough data", look, level, (reason,), _CONCEPT_DRIFT)
    return LookState("fine", look, level, ("No column changed by more than chance explains.",), _CONCEPT_DRIFT)


def _title(result: ColumnDrift, report: DriftReport) -> str:
    return "The score" if result is report.score else f"'{result.name}'"


def judge_p_values(p_values: Mapping[str, float], *, look: int, alpha: float = 0.05) -> LookState:
    """Return the state of a batch by p-values alone, such as those of tests of another program.

    Parameters
    ----------
    p_values : mapping of str to float
        P-values by name, before any adjustment; NaN for a test that was not made.
    look : int
        Number of the look in the series, from 1.
    alpha : float, default=0.05
        Probability of any false alarm in the whole series, and level of this batch alone.

    See Also
    --------
    judge_look : The same for a report, where a change must also be large enough to matter.

    Examples
    --------
    >>> judge_p_values({"age": 0.3, "income": 1e-9}, look=30).reasons
    ("'income': p = 2e-09 after adjustment over 2 tests",)
    """
    level = look_alpha(look, alpha)
    p_values = {name: p for name, p in p_values.items() if not math.isnan(p)}
    if not p_values:
        return LookState("not enough data", look, level, ("This batch was not tested.",))
    adjusted = dict(zip(p_values, adjust_p_values(list(p_values.values())).tolist(), strict=True))
    significant = sorted((p, name) for name, p in adjusted.items() if p < alpha)
    words = tuple(f"'{name}': p = {p:.2g} after adjustment over {len(p_values)} tests" for p, name in significant)
    if not significant:
        return LookState("fine", look, level, ("No test shows more than chance explains.",))
    return LookState("alarm" if significant[0][0] < level else "look", look, level, words)


def judge_series(
    reports: Sequence[DriftReport], *, batches: Sequence[str] | None = None, alpha: float = 0.05
) -> list[LookState]:
    """Return the states of the batches of a series, in their order.

    Parameters
    ----------
    reports : sequence of DriftReport
        Comparisons of the batches with their reference.
    batches : sequence of str, optional
        Keys of the batches, such as fingerprints. A batch that comes again has the number, and so the state, of its
        first look: it uses nothing of the error rate.
    alpha : float, default=0.05
        Probability of any false alarm in the whole series.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.monitoring import compare
    >>> frame = pd.DataFrame({"x": [0.1 * index for index in range(100)]})
    >>> states = judge_series([compare(frame, frame)] * 3, batches=["monday", "tuesday", "monday"])
    >>> [(state.look, state.state) for state in states]
    [(1, 'fine'), (2, 'fine'), (1, 'fine')]
    """
    keys: Sequence[object] = range(len(reports)) if batches is None else batches
    numbers: dict[object, int] = {}
    states = []
    for report, key in zip(reports, keys, strict=True):
        look = numbers.setdefault(key, len(numbers) + 1)
        states.append(judge_look(report, look=look, alpha=alpha))
    return states


def worst_state(states: Iterable[LookState]) -> LookState:
    """Return the worst of several states of one batch, with the reasons of all that are as bad.

    What could not be judged for too few rows is worse than what is fine. A caveat stays only where no state is
    without one: measured performance says what drift of the columns alone cannot.

    Parameters
    ----------
    states : iterable of LookState
        States of the batch, such as those of drift, performance and gaps.

    Examples
    --------
    >>> drift = LookState("fine", 3, 0.0002, ("No column changed.",), "Labels are not known.")
    >>> accuracy = LookState("alarm", 3, 0.0002, ("Accuracy fell.",))
    >>> worst_state([drift, accuracy]).reasons
    ('Accuracy fell.',)
    """
    ranks = list(LOOK_STATES)
    known = list(states)
    worst = max(known, key=lambda state: ranks.index(state.state))
    reasons = tuple(reason for state in known if state.state == worst.state for reason in state.reasons)
    caveat = "" if any(not state.caveat for state in known) else worst.caveat
    return LookState(worst.state, worst.look, worst.level, reasons, caveat)
