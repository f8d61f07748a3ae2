"""Models that are trained to be fair, beside the one that was not: the same learner, rows and test for all."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import InputError
from core.fairness.metrics.group_metrics import GroupMetrics
from core.fairness.metrics.groups import Grouping, as_groups, group_rows
from core.fairness.metrics.intervals import mover
from core.fairness.metrics.options import Options
from core.fairness.postprocessing.problem import CONSTRAINTS
from core.fairness.reductions.interruptible_estimator import watched
from core.fairness.reductions.settings import TECHNIQUES, MitigationSettings
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    from core.automl import AutoMLSettings, Prepared

__all__ = ["MitigationResult", "mitigate"]

Array = NDArray[np.float64]
_MOMENTS = {
    "demographic_parity": "DemographicParity",
    "true_positive_rate_parity": "TruePositiveRateParity",
    "false_positive_rate_parity": "FalsePositiveRateParity",
    "equalized_odds": "EqualizedOdds",
}


@dataclass(frozen=True)
class MitigationResult:
    """What each technique brought on the test rows.

    Parameters
    ----------
    table : DataFrame
        One row a technique: accuracy and balanced_accuracy with low and high, disparity (largest difference of the
        constrained rates) with low and high, lowest and highest group, seconds, message when it failed.
    by_group : DataFrame
        One row a technique and group: count and rates.
    settings : MitigationSettings
        What was asked for.
    rows : dict
        Training and test rows.
    """

    table: pd.DataFrame
    by_group: pd.DataFrame
    settings: MitigationSettings
    rows: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""

        def records(table: pd.DataFrame) -> list[dict[str, Any]]:
            plain = table.astype(object)
            return plain.where(plain.notna(), None).to_dict(orient="records")

        return {
            "table": records(self.table),
            "by_group": records(self.by_group),
            "settings": self.settings.model_dump(mode="json"),
            "rows": self.rows,
        }


class _Stopped(Exception):
    """Somebody asked to stop between two fits."""


class _Bench:
    """The encoded rows, the groups, and the learner that every technique trains."""

    def __init__(self, prepared: Prepared, groups: Grouping, winner: Mapping[str, Any], settings: MitigationSettings):
        self.X, self.X_test = np.asarray(prepared.data.X, dtype=float), np.asarray(prepared.X_test, dtype=float)
        self.y, self.y_test = prepared.data.y.astype(int), prepared.y_test.astype(int)
        self.group, self.test_group = groups.codes[prepared.train_rows], groups.codes[prepared.test_rows]
        self.settings, self.winner, self.task = settings, winner, prepared.data.task
        self.before_fit: Callable[[], None] = lambda: None

    def learner(self) -> Any:
        """Return the winner's learner with its configuration, unfitted."""
        import os

        from core.automl import build_estimator

        return build_estimator(
            self.winner["learner"], self.winner["config"], self.task, jobs=os.cpu_count() or 1, seed=self.settings.seed
        )

    def estimator(self) -> Any:
        """Return the learner, one that asks before each fit whether to go on."""
        return watched(self.learner(), self.before_fit)

    @property
    def weight_name(self) -> str:
        """What the learner calls its row weights."""
        steps = getattr(self.learner(), "steps", None)
        return f"{steps[-1][0]}__sample_weight" if steps else "sample_weight"

    def moment(self) -> Any:
        """Return Fairlearn's constraint."""
        from fairlearn import reductions

        return getattr(reductions, _MOMENTS[self.settings.constraint])(difference_bound=self.settings.difference_bound)

    # Each technique returns the probability that a test row is selected.

    def unmitigated(self) -> Array:
        return (self.estimator().fit(self.X, self.y).predict_proba(self.X_test)[:, 1] >= 0.5).astype(float)

    def reweighing(self) -> Array:
        """Weigh rows so that group and label are independent (Kamiran, Calders 2012)."""
        groups = self.group.max() + 1
        cells = np.bincount(self.group * 2 + self.y, minlength=groups * 2).reshape(groups, 2)
        expected = cells.sum(axis=1, keepdims=True) * cells.sum(axis=0) / cells.sum()
        with np.errstate(invalid="ignore", divide="ignore"):
            weight = np.where(cells > 0, expected / cells, 0.0)[self.group, self.y]
        fitted = self.estimator().fit(self.X, self.y, **{self.weight_name: weight})
        return (fitted.predict_proba(self.X_test)[:, 1] >= 0.5).astype(float)

    def correlation_remover(self) -> Array:
        """Take out of the features what is linear in the group (Fairlearn's CorrelationRemover)."""
        from fairlearn.preprocessing import CorrelationRemover

        groups = int(max(self.group.max(), self.test_group.max())) + 1
        dummies = np.eye(groups)[:, 1:]  # the first group is where the others are 0
        places = list(range(groups - 1))
        remover = CorrelationRemover(sensitive_feature_ids=places)
        train = remover.fit_transform(np.hstack([dummies[self.group], self.X]))
        test = remover.transform(np.hstack([dummies[self.test_group], self.X_test]))
        return (self.estimator().fit(train, self.y).predict_proba(test)[:, 1] >= 0.5).astype(float)

    def exponentiated_gradient(self) -> Array:
        """A lottery among models (Agarwal et al. 2018): the share of them that select the row."""
        from fairlearn.reductions import ExponentiatedGradient

        search = ExponentiatedGradient(
            self.estimator(),
            self.moment(),
            eps=self.settings.difference_bound,
            max_iter=self.settings.iterations,
            sample_weight_name=self.weight_name,
        )
        search.fit(self.X, self.y, sensitive_features=self.group)
        return np.asarray(search._pmf_predict(self.X_test)[:, 1], dtype=float)

    def grid_search(self) -> Array:
        """The best of models with other weights of the constraint (Agarwal et al. 2018)."""
        from fairlearn.reductions import GridSearch

        search = GridSearch(
            self.estimator(), self.moment(), grid_size=self.settings.grid_size, sample_weight_name=self.weight_name
        )
        search.fit(self.X, self.y, sensitive_features=self.group)
        return np.asarray(search.predict(self.X_test), dtype=float)


def expected_cells(positive: NDArray[np.bool_], selected: Array, codes: NDArray[np.intp], groups: int) -> Array:
    """Count by group where rows are selected with a probability, (groups, 4)."""

    def total(weight: Array) -> Array:
        return np.asarray(np.bincount(codes, weights=weight, minlength=groups), dtype=np.float64)

    true, false = total(selected * positive), total(selected * ~positive)
    positives, negatives = total(positive.astype(float)), total((~positive).astype(float))
    return np.stack([negatives - false, false, positives - true, true], axis=-1)


def _row(name: str, found: GroupMetrics, cells: Array, constraint: str, min_rows: int) -> dict[str, Any]:
    """Return one technique's figures, the disparity with the interval of its widest gap."""
    overall = found.overall_intervals
    row: dict[str, Any] = {"technique": name}
    for metric in ("accuracy", "balanced_accuracy"):
        row |= {
            metric: overall.loc[metric, "value"],
            f"{metric}_low": overall.loc[metric, "low"],
            f"{metric}_high": overall.loc[metric, "high"],
        }
    gaps = found.difference()
    worst = max(CONSTRAINTS[constraint], key=lambda metric: -np.inf if np.isnan(gaps[metric]) else gaps[metric])
    row |= {"metric": worst, "disparity": gaps[worst]}
    intervals = found.intervals.xs(worst, level="metric")
    usable = ~intervals["small"].to_numpy(dtype=bool)
    values = intervals["value"].to_numpy(dtype=float)
    if usable.sum() >= 2:
        places = np.flatnonzero(usable)
        low, high = places[np.argmin(values[places])], places[np.argmax(values[places])]
        bounds = intervals[["low", "high"]].to_numpy(dtype=float)
        below, above = mover(values[high], tuple(bounds[high]), values[low], tuple(bounds[low]))
        row |= {
            "disparity_low": float(below),
            "disparity_high": float(above),
            "lowest_group": str(found.labels[low]),
            "highest_group": str(found.labels[high]),
        }
    return row


def mitigate(
    frame: pd.DataFrame,
    search: AutoMLSettings,
    winner: Mapping[str, Any],
    settings: MitigationSettings,
    *,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> MitigationResult:
    """Train a search's winner again with each technique, and test all on the rows that the search held out.

    Parameters
    ----------
    frame : DataFrame
        The table the search was on.
    search : AutoMLSettings
        The search's settings: they give the same split and features again.
    winner : mapping
        ``learner`` and ``config`` of its winner.
    settings : MitigationSettings
        Sensitive columns, constraint and techniques.
    report : callable, optional
        Takes an event a technique.
    should_stop : callable, optional
        Asked before each fit; the techniques that are done by then are the result.

    Returns
    -------
    MitigationResult

    Raises
    ------
    InputError
        When the target has no two classes, no row was held out, or a column is missing.
    """
    from core.automl import prepare

    tell, stop = report or silent, should_stop or (lambda: False)
    missing = [name for name in settings.sensitive_columns if name not in frame.columns]
    if missing:
        raise InputError(f"The table has no column '{missing[0]}'.", "Choose one of the table's columns.")
    tell(Event("prepare", 0.0, "Preparing the rows as the search did"))
    prepared = prepare(frame, search)
    if prepared.data.classes != 2:
        raise InputError(f"The target '{search.target}' has no two classes.", "Choose a search with a binary target.")
    if not len(prepared.y_test):
        raise InputError("The search held out no rows to test on.", "Search again with a test share.")
    columns = {name: as_groups(frame[name], settings.bins) for name in settings.sensitive_columns}
    groups = group_rows(pd.DataFrame(columns), rows=len(frame))
    bench = _Bench(prepared, groups, winner, settings)
    rows, by_group = [], []
    chosen = ["unmitigated", *(name for name in TECHNIQUES if name in settings.techniques)]
    test = Grouping(bench.test_group, groups.labels)
    options = Options(min_group_size=settings.min_group_size)
    for number, name in enumerate(chosen):
        if stop():
            break
        tell(
            Event("train", number / len(chosen), f"Training: {TECHNIQUES.get(name, 'as it was')}", {"technique": name})
        )
        began = time.perf_counter()
        fits = 0

        def before_fit(number: int = number, name: str = name) -> None:
            nonlocal fits
            if stop():
                raise _Stopped
            fits += 1
            if fits > 1:
                told = f"Training: {TECHNIQUES.get(name, 'as it was')}, model {fits:,}"
                tell(Event("train", number / len(chosen), told, {"technique": name, "fit": fits}))

        bench.before_fit = before_fit
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the libraries, about single fits; failures are in the table
                selected = getattr(bench, name)()
        except _Stopped:
            break
        except (ValueError, RuntimeError, TypeError, ArithmeticError) as error:
            rows.append({"technique": name, "message": f"{type(error).__name__}: {error}"[:300]})
            continue
        cells = expected_cells(bench.y_test == 1, selected, test.codes, len(groups))
        found = GroupMetrics.from_cells(test, cells, options)
        rows.append(
            _row(name, found, cells, settings.constraint, settings.min_group_size)
            | {"seconds": time.perf_counter() - began}
        )
        table = found.by_group.reset_index(drop=True)
        table.insert(
            0,
            "group",
            [", ".join(map(str, label)) if isinstance(label, tuple) else str(label) for label in groups.labels],
        )
        table.insert(0, "technique", name)
        by_group.append(table)
        tell(
            Event(
                "train",
                (number + 1) / len(chosen),
                f"Done: {TECHNIQUES.get(name, 'as it was')}",
                {key: value for key, value in rows[-1].items() if value is not None},
            )
        )
    if not by_group:
        raise InputError("No technique was finished.", "Start again and let it run longer, or choose others.")
    return MitigationResult(
        pd.DataFrame(rows),
        pd.concat(by_group, ignore_index=True),
        settings,
        {"train": len(bench.y), "test": len(bench.y_test)},
    )
