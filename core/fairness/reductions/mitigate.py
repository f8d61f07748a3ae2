"""Models that are trained to be fairer, compared with the unmitigated one: same learner, rows and test for all."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NotRequired

import numpy as np
import pandas as pd
from typing_extensions import TypedDict

from core.columns import require_columns
from core.errors import InputError
from core.fairness.metrics.arrays import BoolArray, FloatArray, IndexArray
from core.fairness.metrics.binning import as_groups
from core.fairness.metrics.group_metrics import GroupMetrics
from core.fairness.metrics.groups import Grouping, group_rows, label_text
from core.fairness.metrics.intervals import effective_weights
from core.fairness.metrics.options import Options
from core.fairness.metrics.rates import RateValues
from core.fairness.postprocessing.objectives import CONSTRAINTS
from core.fairness.reductions.settings import MitigationSettings
from core.fairness.reductions.techniques import TECHNIQUES, UNMITIGATED, Technique
from core.fairness.reductions.training import TrainingSetup, Winner
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    from core.automl import AutoMLSettings, Prepared

__all__ = ["MitigationResult", "mitigate"]


@dataclass(frozen=True)
class MitigationResult:
    """The effect of each technique on the test rows.

    Parameters
    ----------
    table : DataFrame
        One row per technique: accuracy and balanced_accuracy with low and high, disparity (surest gap of the
        constrained rates, as in `conclude`) with low and high, lowest and highest group, seconds, message when it
        failed.
    by_group : DataFrame
        One row per technique and group: count and rates.
    settings : MitigationSettings
        Settings of the comparison.
    rows : dict
        Number of training and of test rows.
    """

    table: pd.DataFrame
    by_group: pd.DataFrame
    settings: MitigationSettings
    rows: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serializable values."""

        def records(table: pd.DataFrame) -> list[dict[str, Any]]:
            cells = table.astype(object)
            return list(cells.where(cells.notna(), None).to_dict(orient="records"))

        return {
            "table": records(self.table),
            "by_group": records(self.by_group),
            "settings": self.settings.model_dump(mode="json"),
            "rows": self.rows,
        }


class _Stopped(Exception):
    """A stop was requested between two fits."""


class _Row(TypedDict):
    """A technique's row of `MitigationResult.table`."""

    technique: str
    accuracy: NotRequired[float]
    accuracy_low: NotRequired[float]
    accuracy_high: NotRequired[float]
    balanced_accuracy: NotRequired[float]
    balanced_accuracy_low: NotRequired[float]
    balanced_accuracy_high: NotRequired[float]
    metric: NotRequired[str]
    disparity: NotRequired[float]
    disparity_low: NotRequired[float]
    disparity_high: NotRequired[float]
    lowest_group: NotRequired[str]
    highest_group: NotRequired[str]
    seconds: NotRequired[float]
    message: NotRequired[str]


def training_setup(
    prepared: Prepared,
    groups: Grouping,
    winner: Winner,
    settings: MitigationSettings,
    before_fit: Callable[[], None] = lambda: None,
) -> TrainingSetup:
    """Return the training setup of a prepared search, with the groups of all of its table's rows."""
    return TrainingSetup(
        X=np.asarray(prepared.data.X, dtype=float),
        y=prepared.data.y.astype(np.intp),
        X_test=np.asarray(prepared.X_test, dtype=float),
        group=groups.codes[prepared.train_rows],
        test_group=groups.codes[prepared.test_rows],
        winner=winner,
        task=prepared.data.task,
        constraint=settings.constraint,
        difference_bound=settings.difference_bound,
        iterations=settings.iterations,
        grid_size=settings.grid_size,
        seed=settings.seed,
        before_fit=before_fit,
        weights=None if prepared.data.weights is None else np.asarray(prepared.data.weights, dtype=float),
        feature_groups=prepared.data.feature_groups,
    )


def expected_cells(
    positive: BoolArray, selected: FloatArray, codes: IndexArray, groups: int, weights: FloatArray | None = None
) -> FloatArray:
    """Count by group where rows are selected with a probability, (groups, 4)."""
    own = np.ones(len(codes)) if weights is None else weights

    def total(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(codes, weights=own * values, minlength=groups), dtype=np.float64)

    true, false = total(selected * positive), total(selected * ~positive)
    positives, negatives = total(positive.astype(float)), total((~positive).astype(float))
    return np.stack([negatives - false, false, positives - true, true], axis=-1)


def _summary_row(technique: Technique, metrics: GroupMetrics, constraint: str, seconds: float) -> _Row:
    """Return accuracy and disparity of one technique, the disparity being the surest gap of the constrained rates."""
    overall = metrics.overall_intervals
    gaps = metrics.surest_gaps(CONSTRAINTS[constraint].rates)
    accuracy, balanced = overall.loc["accuracy"], overall.loc["balanced_accuracy"]
    row: _Row = {
        "technique": technique.name,
        "accuracy": accuracy["value"],
        "accuracy_low": accuracy["low"],
        "accuracy_high": accuracy["high"],
        "balanced_accuracy": balanced["value"],
        "balanced_accuracy_low": balanced["low"],
        "balanced_accuracy_high": balanced["high"],
        "metric": gaps.metric,
        "disparity": float("nan") if gaps.surest is None else gaps.surest.gap,
    }
    if gaps.surest is not None:
        row["disparity_low"], row["disparity_high"] = gaps.surest.low, gaps.surest.high
        row["lowest_group"], row["highest_group"] = gaps.surest.lowest, gaps.surest.highest
    row["seconds"] = seconds
    return row


@dataclass
class _Comparison:
    """A comparison in progress: what it trains on, and the techniques that are done."""

    setup: Callable[[Callable[[], None]], TrainingSetup]
    positive: BoolArray
    test: Grouping
    settings: MitigationSettings
    tell: Report
    stop: Callable[[], bool]
    weights: FloatArray | None = None
    rows: list[_Row] = field(default_factory=list)
    by_group: list[pd.DataFrame] = field(default_factory=list)

    def add(self, technique: Technique, number: int, count: int) -> None:
        """Train with one technique and add its rows; raise `_Stopped` when a stop is requested before a fit."""
        fraction, fits = number / count, 0

        def before_fit() -> None:
            nonlocal fits
            if self.stop():
                raise _Stopped
            fits += 1
            if fits > 1:
                values = {"technique": technique.name, "fit": fits}
                self.tell(Event("train", fraction, f"Training: {technique.title}, model {fits:,}", values))

        self.tell(Event("train", fraction, f"Training: {technique.title}", {"technique": technique.name}))
        began = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the libraries, about single fits; failures are in the table
                selected = technique.train(self.setup(before_fit))
        except (ValueError, RuntimeError, TypeError, ArithmeticError) as error:
            message = f"{type(error).__name__}: {error}"[:300]
            self.rows.append({"technique": technique.name, "message": message})
            return
        metrics = self._metrics(selected)
        row = _summary_row(technique, metrics, self.settings.constraint, time.perf_counter() - began)
        self.rows.append(row)
        table = metrics.by_group.reset_index(drop=True)
        table.insert(0, "group", [label_text(label) for label in self.test.labels])
        table.insert(0, "technique", technique.name)
        self.by_group.append(table)
        values = {key: value for key, value in row.items() if value is not None}
        self.tell(Event("train", (number + 1) / count, f"Done: {technique.title}", values))

    def leave_out(self, technique: Technique, weight: str) -> None:
        """Add the row of a technique that takes no weights of rows."""
        message = f"{technique.title} takes no weights of rows; the search counts them by '{weight}'."
        self.rows.append({"technique": technique.name, "message": message})

    def _metrics(self, selected: FloatArray) -> GroupMetrics:
        """Return the metrics of the test rows when each is selected with a probability."""
        options, groups = Options(min_group_size=self.settings.min_group_size), len(self.test)
        if self.weights is None:
            return GroupMetrics.from_cells(
                self.test, expected_cells(self.positive, selected, self.test.codes, groups), options
            )
        # In effective rows, each group by itself and all together.
        parts = []
        for codes, count in ((self.test.codes, groups), (np.zeros_like(self.test.codes), 1)):
            weights = effective_weights(self.weights, codes, count)
            parts.append(RateValues(expected_cells(self.positive, selected, codes, count, weights)))
        return GroupMetrics.from_weighted(self.test, self.positive, parts[0], parts[1], options)


def mitigate(
    frame: pd.DataFrame,
    search: AutoMLSettings,
    winner: Winner,
    settings: MitigationSettings,
    *,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> MitigationResult:
    """Train a search's winner again with each technique, and test all on the rows that the search held out.

    Where the search has a weight column, all of it is weighted; a technique that takes no weights is left out, with a
    message.

    Parameters
    ----------
    frame : DataFrame
        The table of the search.
    search : AutoMLSettings
        Settings of the search, which give the same split and features again.
    winner : mapping
        ``learner`` and ``config`` of the search's winner.
    settings : MitigationSettings
        Sensitive columns, constraint and techniques.
    report : callable, optional
        Takes one event per technique.
    should_stop : callable, optional
        Called before each fit; when it returns True, the result has the techniques that are done.

    Returns
    -------
    MitigationResult

    Raises
    ------
    InputError
        When the target does not have two classes, no row was held out, or a column is missing.
    """
    from core.automl import prepare

    tell = report or silent
    require_columns(frame, settings.sensitive_columns)
    tell(Event("prepare", 0.0, "Preparing the rows as the search did"))
    prepared = prepare(frame, search)
    if prepared.data.classes != 2:
        raise InputError(
            f"The target '{search.target}' does not have two classes.", "Choose a search with a binary target."
        )
    if not len(prepared.y_test):
        raise InputError("The search held out no rows to test on.", "Search again with a test fraction.")
    columns = {name: as_groups(frame[name], settings.bins) for name in settings.sensitive_columns}
    groups = group_rows(pd.DataFrame(columns), rows=len(frame))
    comparison = _Comparison(
        setup=lambda before_fit: training_setup(prepared, groups, winner, settings, before_fit),
        positive=prepared.y_test.astype(int) == 1,
        test=Grouping(groups.codes[prepared.test_rows], groups.labels),
        settings=settings,
        tell=tell,
        stop=should_stop or (lambda: False),
        weights=None if prepared.test_weights is None else np.asarray(prepared.test_weights, dtype=float),
    )
    techniques = [UNMITIGATED, *(record for name, record in TECHNIQUES.items() if name in settings.techniques)]
    for number, technique in enumerate(techniques):
        if comparison.stop():
            break
        if search.weight_column is not None and not technique.takes_weights:
            comparison.leave_out(technique, search.weight_column)
            continue
        try:
            comparison.add(technique, number, len(techniques))
        except _Stopped:
            break
    if not comparison.by_group:
        raise InputError("No technique was finished.", "Start again and let it run longer, or choose others.")
    return MitigationResult(
        pd.DataFrame(comparison.rows),
        pd.concat(comparison.by_group, ignore_index=True),
        settings,
        {"train": len(prepared.data.y), "test": len(prepared.y_test)},
    )
