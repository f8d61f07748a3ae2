"""Two versions side by side, and their difference on the rows that neither learned from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.automl import METRICS
from core.errors import RegistryError
from core.evaluation import Estimate
from core.models._evidence import Evidence
from core.models._registry import resolve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.catalog import ModelVersion

__all__ = ["VersionComparison", "compare"]

MIN_ROWS = 30


@dataclass(frozen=True)
class VersionComparison:
    """How two versions compare.

    Parameters
    ----------
    first, second : ModelVersion
        The versions.
    metrics : dict of dict of Estimate
        By "first" and "second", what each was found to do on its own test rows.
    metric : str
        What the difference is of.
    difference : Estimate or None
        The second's gain over the first on rows that both held out, paired; larger is better for the second.
    same_rows : bool
        Whether the test rows of both are the very same.
    reason : str
        Why there is no difference.
    groups : int or None
        How many groups the common rows are of, where whole groups were resampled.
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
        """One row a metric: title, then value, low, high and n of each version."""
        names = dict.fromkeys([*self.metrics["first"], *self.metrics["second"]])
        rows = []
        for name in names:
            row: dict[str, Any] = {"metric": name, "title": METRICS[name].title}
            for side, found in self.metrics.items():
                estimate = found.get(name, Estimate(math.nan, math.nan, math.nan, 0))
                row |= {f"{side}_{part}": value for part, value in estimate.to_dict().items()}
            rows.append(row)
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values; what could not be measured is None."""

        def plain(estimate: Estimate) -> dict[str, Any]:
            return {name: value if math.isfinite(value) else None for name, value in estimate.to_dict().items()}

        return {
            "first": self.first.id,
            "second": self.second.id,
            "metrics": {
                side: {name: plain(each) for name, each in found.items()} for side, found in self.metrics.items()
            },
            "metric": self.metric,
            "difference": None if self.difference is None else plain(self.difference),
            "same_rows": self.same_rows,
            "reason": self.reason,
            "groups": self.groups,
            "verdict": self.verdict,
        }

    @property
    def verdict(self) -> str:
        """What the difference says, in one sentence."""
        if self.difference is None:
            return f"There is no paired difference: {self.reason}"
        gain, title = self.difference, METRICS[self.metric].title
        decimals = _decimals(gain)
        around = f"[{gain.low:,.{decimals}f}, {gain.high:,.{decimals}f}]"
        size = f"{gain.value:+,.{decimals}f} {title} {around} on {gain.n:,} rows"
        first, second = f"version {self.first.number}", f"version {self.second.number}"
        if self.first.model_id != self.second.model_id:
            first, second = "the first model", "the second model"
        if gain.low > 0:
            return f"{second.capitalize()} is better than {first}: {size}."
        if gain.high < 0:
            return f"{second.capitalize()} is worse than {first}: {size}."
        return f"{second.capitalize()} is not clearly different from {first}: {size}."


def _decimals(gain: Estimate) -> int:
    """Return how many decimals the interval's width leaves meaningful; three at least of small figures, as elsewhere.

    Examples
    --------
    >>> _decimals(Estimate(-0.0106, -0.02675, 0.00421, 200)), _decimals(Estimate(812.0, 300.0, 1400.0, 200))
    (3, 0)
    """
    width = gain.high - gain.low
    if not math.isfinite(width) or width <= 0:
        return 4
    least = 3 if abs(gain.value) < 10 else 0
    return min(6, max(least, 1 - math.floor(math.log10(width))))


def compare(first: str, second: str, *, metric: str | None = None, workspace: str) -> VersionComparison:
    """Compare two versions by what they were found to do, and by their difference on common test rows.

    The difference is paired: both predict the same resamples of the rows that both held out, which are told by the
    table's fingerprint and the rows' ids.

    Parameters
    ----------
    first, second : str
        Ids of versions, or of models.
    metric : str, optional
        Of the difference; by default what the first was searched for.

    Raises
    ------
    NotFoundError
        When there is no such version.
    RegistryError
        When both are the same, or the metric does not fit.

    Examples
    --------
    >>> compare("one", "one")
    Traceback (most recent call last):
    core.errors.RegistryError: Both are the same version. Choose two.
    """
    if first == second:
        raise RegistryError("Both are the same version.", "Choose two.")
    versions = [resolve(each, workspace=workspace) for each in (first, second)]
    if versions[0].id == versions[1].id:
        raise RegistryError("Both are the same version.", "Choose two.")
    sides = [Evidence.of(version.run_id, workspace) for version in versions]
    chosen = metric or sides[0].result["metric"]
    if chosen not in METRICS or sides[0].result["task"] not in METRICS[chosen].tasks:
        raise RegistryError(f"The metric '{chosen}' does not fit a {sides[0].result['task']} model.", "Choose another.")
    metrics = {
        name: {key: _estimate(value) for key, value in side.result["test_metrics"].items()}
        for name, side in zip(("first", "second"), sides, strict=True)
    }
    reason = _obstacle(*sides)
    if reason:
        return VersionComparison(versions[0], versions[1], metrics, chosen, None, False, reason)
    tests = [side.test.set_index("row_id") for side in sides]
    common = tests[0].index.intersection(tests[1].index)
    same = len(common) == len(tests[0]) == len(tests[1])
    if len(common) < MIN_ROWS:
        reason = f"they held out {len(common):,} common rows, and {MIN_ROWS} is the least."
        return VersionComparison(versions[0], versions[1], metrics, chosen, None, False, reason)
    gain, groups = _gain(sides, [test.loc[common] for test in tests], chosen)
    return VersionComparison(versions[0], versions[1], metrics, chosen, gain, same, groups=groups)


def _estimate(found: dict[str, Any]) -> Estimate:
    value, low, high = (math.nan if found[name] is None else found[name] for name in ("value", "low", "high"))
    return Estimate(value, low, high, found["n"])


def _obstacle(first: Evidence, second: Evidence) -> str:
    """Return why two runs cannot be compared row by row; empty when they can."""
    if first.fingerprint is None or first.fingerprint != second.fingerprint:
        return "they were tested on different tables."
    if first.target != second.target or first.result["task"] != second.result["task"]:
        return "they predict different things."
    if sorted(first.labels or ()) != sorted(second.labels or ()):
        return "they know different classes."
    if not first.result["rows"]["test"] or not second.result["rows"]["test"]:
        return "one of them held out no rows."
    return ""


def _gain(sides: list[Evidence], tests: list[pd.DataFrame], metric: str) -> tuple[Estimate, int | None]:
    from core.evaluation import compare_outputs, groups_in

    labels = sides[0].labels
    truth = tests[0][sides[0].target]
    y: NDArray[Any]
    if labels is None:
        y = truth.to_numpy(dtype=float)
        outputs = [test["prediction"].to_numpy(dtype=float) for test in tests]
    else:
        y = pd.Categorical(truth.map(str), categories=labels).codes.astype(np.intp)
        outputs = [test[[f"p({label})" for label in labels]].to_numpy(dtype=float) for test in tests]
    held = [groups_in(test.reset_index(), side.target) for side, test in zip(sides, tests, strict=True)]
    groups = next((each for each in held if each is not None), None)
    found = compare_outputs(
        sides[0].result["task"], metric, y, {"second": outputs[1], "first": outputs[0]}, groups=groups
    )
    return found.gains["first"], found.groups
