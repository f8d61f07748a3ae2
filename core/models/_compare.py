"""Two versions side by side, and their difference on the rows that neither learned from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import JsonValue

from core.access import Access
from core.errors import RegistryError
from core.evaluation import METRICS, Estimate
from core.finetune import label_matrix
from core.models._evidence import RunEvidence
from core.models._registry import resolve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.catalog import ModelVersion

__all__ = ["VersionComparison", "compare", "compare_versions"]

MIN_ROWS = 30


@dataclass(frozen=True)
class VersionComparison:
    """How two versions compare.

    Parameters
    ----------
    first, second : ModelVersion
        The versions.
    metrics : dict of dict of Estimate
        Metrics by "first" and "second", each version on its own test rows.
    metric : str
        The metric of the difference.
    difference : Estimate or None
        The second version's gain over the first on rows that both held out, paired; larger is better for the second.
    same_rows : bool
        Whether both have exactly the same test rows.
    reason : str, default=""
        Why there is no difference.
    groups : int, optional
        Number of groups that the common rows come from, where whole groups were resampled.
    """

    first: ModelVersion
    second: ModelVersion
    metrics: dict[str, dict[str, Estimate]]
    metric: str
    difference: Estimate | None
    same_rows: bool
    reason: str = ""
    groups: int | None = None

    @property
    def table(self) -> pd.DataFrame:
        """One row per metric: metric, title, then value, low, high and n of each version."""
        names = dict.fromkeys([*self.metrics["first"], *self.metrics["second"]])
        rows = []
        for name in names:
            row: dict[str, str | float] = {"metric": name, "title": METRICS[name].title}
            for side, estimates in self.metrics.items():
                estimate = estimates.get(name, Estimate(math.nan, None, None, 0))
                row |= {f"{side}_{part}": getattr(estimate, part) for part in ("value", "low", "high", "n")}
            rows.append(row)
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the comparison as JSON-serializable values; what could not be measured is None."""
        return {
            "first": self.first.id,
            "second": self.second.id,
            "metrics": {
                side: {name: _finite(estimate) for name, estimate in estimates.items()}
                for side, estimates in self.metrics.items()
            },
            "metric": self.metric,
            "difference": None if self.difference is None else _finite(self.difference),
            "same_rows": self.same_rows,
            "reason": self.reason,
            "groups": self.groups,
            "verdict": self.verdict,
        }

    @property
    def verdict(self) -> str:
        """What the difference shows, in one sentence."""
        if self.difference is None:
            return f"There is no paired difference: {self.reason}"
        gain, title = self.difference, METRICS[self.metric].title
        if gain.low is None or gain.high is None:
            return f"No verdict: {gain.reason.removeprefix('no interval: ')}."
        decimals = _decimals(gain.value, gain.high - gain.low)
        interval = f"[{gain.low:,.{decimals}f}, {gain.high:,.{decimals}f}]"
        size = f"{gain.value:+,.{decimals}f} {title} {interval} on {gain.n:,} rows".replace("-", "−")
        first, second = f"version {self.first.number}", f"version {self.second.number}"
        if self.first.model_id != self.second.model_id:
            first, second = "the first model", "the second model"
        if gain.low > 0:
            return f"{second.capitalize()} is better than {first}: {size}."
        if gain.high < 0:
            return f"{second.capitalize()} is worse than {first}: {size}."
        return f"{second.capitalize()} is not clearly different from {first}: {size}."


def _finite(estimate: Estimate) -> dict[str, JsonValue]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in estimate.to_dict().items()
    }


def _decimals(value: float, width: float) -> int:
    """Return how many decimals an interval's width leaves meaningful, at least three of small values.

    Examples
    --------
    >>> _decimals(-0.0106, 0.031), _decimals(812.0, 1100.0)
    (3, 0)
    """
    if not math.isfinite(width) or width <= 0:
        return 4
    minimum = 3 if abs(value) < 10 else 0
    return min(6, max(minimum, 1 - math.floor(math.log10(width))))


def compare_versions(first: str, second: str, *, metric: str | None = None, access: Access) -> VersionComparison:
    """Compare two versions by their metrics, and by their difference on common test rows.

    The difference is paired: both versions predict the same resamples of the rows that both held out. The table's
    fingerprint and the rows' ids identify these rows.

    Parameters
    ----------
    first, second : str
        Ids of versions, or of models.
    metric : str, optional
        Metric of the difference; by default the one that the first version was optimized for.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    NotFoundError
        When there is no such version.
    RegistryError
        When both are the same version, or the metric does not fit.

    Examples
    --------
    >>> from core.access import LOCAL
    >>> compare_versions("one", "one", access=LOCAL)
    Traceback (most recent call last):
    core.errors.RegistryError: Both are the same version. Choose two different ones.
    """
    same_version = RegistryError("Both are the same version.", "Choose two different ones.")
    if first == second:
        raise same_version
    one, other = (resolve(model, access=access) for model in (first, second))
    if one.id == other.id:
        raise same_version
    sides = [RunEvidence.of(version.run_id, access=access) for version in (one, other)]
    task, chosen = sides[0].result.task, metric or sides[0].result.metric
    if chosen not in METRICS or task not in METRICS[chosen].tasks:
        raise RegistryError(f"The metric '{chosen}' does not fit a {task} model.", "Choose another.")
    metrics = {
        name: {key: stored.estimate for key, stored in side.result.test_metrics.items()}
        for name, side in zip(("first", "second"), sides, strict=True)
    }
    reason = _obstacle(*sides)
    if reason:
        return VersionComparison(one, other, metrics, chosen, None, False, reason)
    tests = [side.test.set_index("row_id") for side in sides]
    common = tests[0].index.intersection(tests[1].index)
    same_rows = len(common) == len(tests[0]) == len(tests[1])
    if len(common) < MIN_ROWS:
        reason = f"they held out {len(common):,} common rows, and at least {MIN_ROWS} are needed."
        return VersionComparison(one, other, metrics, chosen, None, False, reason)
    gain, groups = _paired_gain(sides, [test.loc[common] for test in tests], chosen)
    return VersionComparison(one, other, metrics, chosen, gain, same_rows, groups=groups)


compare = compare_versions


def _obstacle(first: RunEvidence, second: RunEvidence) -> str:
    """Return why two runs cannot be compared row by row; empty when they can."""
    if first.fingerprint is None or first.fingerprint != second.fingerprint:
        return "they were tested on different tables."
    if first.target != second.target or first.result.task != second.result.task:
        return "they predict different things."
    if sorted(first.labels or ()) != sorted(second.labels or ()):
        return "they have different classes."
    if not first.result.test_rows or not second.result.test_rows:
        return "one of them held out no rows."
    return ""


def _paired_gain(sides: list[RunEvidence], tests: list[pd.DataFrame], metric: str) -> tuple[Estimate, int | None]:
    from core.evaluation import compare_outputs, groups_in, weights_in

    labels = sides[0].labels
    truth = tests[0][sides[0].target]
    y: NDArray[np.float64] | NDArray[np.intp]
    if labels is None:
        y = truth.to_numpy(dtype=float)
        outputs = [test["prediction"].to_numpy(dtype=float) for test in tests]
    else:
        if sides[0].several:
            y = label_matrix(labels, truth).astype(np.intp)
        else:
            y = pd.Categorical(truth.map(str), categories=labels).codes.astype(np.intp)
        outputs = [test[[f"p({label})" for label in labels]].to_numpy(dtype=float) for test in tests]
    groups_by_side = [groups_in(test.reset_index(), side.target) for side, test in zip(sides, tests, strict=True)]
    groups = next((groups for groups in groups_by_side if groups is not None), None)
    comparison = compare_outputs(
        sides[0].result.task,
        metric,
        y,
        {"second": outputs[1], "first": outputs[0]},
        groups=groups,
        sample_weight=weights_in(tests[0].reset_index(), sides[0].target),
        labels=labels,
    )
    return comparison.gains["first"], comparison.groups
