"""What a search is asked to do: typed once, validated here, stored with its result."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from core.checked import CheckedSettings
from core.evaluation import METRICS

__all__ = ["LEARNERS", "AutoMLSettings"]

ColumnType = Literal["numeric", "categorical", "text", "date", "ignore"]
Imputation = Literal["median", "mean", "most_frequent", "zero"]

LEARNERS = {
    "lgbm": "LightGBM",
    "rf": "Random forest",
    "extra_tree": "Extra trees",
    "xgboost": "XGBoost, by leaves",
    "xgb_limitdepth": "XGBoost, by depth",
}
"""Learners the search chooses from, with the names people know them by. Each can be exported to ONNX.

They are tried in this order: boosting, then a random forest, so that one of each can be blended (with the linear model)
after two trials, by one searcher or by two.
"""


class AutoMLSettings(CheckedSettings):
    """Settings of `search`.

    Parameters
    ----------
    target : str
        Column to predict.
    task : str
        auto, binary, multiclass or regression.
    metric : str
        What the search optimises; auto is roc_auc, or r2 for a number.
    time_budget_s : float or None
        Seconds from the start to a model that predicts. None, with `max_trials`, is the reproducible mode.
    trial_timeout_s : float or None
        A trial that takes longer is ended; the search goes on.
    max_trials : int or None
        Exact number of trials, if time allows.
    max_concurrent_trials : int
        Trials at the same time, each in a process of its own with its share of the cores.
    folds : "auto" or int
        Cross-validation folds; auto: 5 up to 20,000 rows, 3 up to 100,000, above that a 20 % holdout.
    cv_repeats : "auto" or int
        Times the cross-validation is done, with other folds each time; auto: 3 below 2,000 rows where the folds are
        auto too, otherwise 1.
    early_stopping : bool
        End when the last 20 trials brought nothing.
    exit_score : float or None
        End when the metric is as good as this.
    explain : bool
        Whether a run explains its model.
    ensemble : bool
        Blend the best models of each learner where that is better than the best one; within the time budget.
    featurization : str
        auto, off (the table must be numeric), or custom: as auto, but for `column_types`, `imputation` and
        `column_imputation`.
    column_types : dict of str to str
        With custom: what a column is, of numeric, categorical, text, date, ignore; auto decides on the others.
    imputation : str
        With custom: what stands for a missing number: median, mean, most_frequent or zero.
    column_imputation : dict of str to str
        With custom: the same for single columns of numbers, yes or no, or dates; `imputation` decides on the others.
    learners : "auto" or tuple of str
        Names from `LEARNERS`.
    blocked_learners : tuple of str
        Taken out of `learners`.
    drop_columns : tuple of str
        Columns the model must not use.
    sensitive_columns : tuple of str
        Columns that are stored with the predictions; they are features too unless dropped.
    class_weights : bool
        Weigh classes by the inverse of their frequency.
    positive_label : str or None
        The class that scores of a binary task are about; by default the last in sorted order.
    time_column : str or None
        The test rows are then the latest, and each fold is validated on what comes after the rows it learned from.
        A row without a time counts as early.
    group_column : str or None
        Rows with the same value (a patient, a household) are then on one side of every split. Both columns are no
        features unless `column_types` names them.
    test_fraction : float
        Share of rows held out for the test, 0 to 0.5; 0 means no test.
    seed : int
        Of splits and search.

    Raises
    ------
    SettingsError
        When a value, or a combination, is invalid.

    Examples
    --------
    >>> AutoMLSettings(target="income", max_trials=20).metric
    'auto'
    """

    target: str = Field(min_length=1)
    task: Literal["auto", "binary", "multiclass", "regression"] = "auto"
    metric: str = "auto"
    time_budget_s: float | None = Field(default=60, gt=0, le=604_800)
    trial_timeout_s: float | None = Field(default=None, gt=0)
    max_trials: int | None = Field(default=None, ge=2, le=1_000_000)
    max_concurrent_trials: int = Field(default=1, ge=1, le=64)
    folds: Literal["auto"] | int = "auto"
    cv_repeats: Literal["auto"] | int = "auto"
    early_stopping: bool = True
    exit_score: float | None = None
    explain: bool = True
    featurization: Literal["auto", "off", "custom"] = "auto"
    column_types: dict[str, ColumnType] = Field(default_factory=dict)
    imputation: Imputation = "median"
    column_imputation: dict[str, Imputation] = Field(default_factory=dict)
    ensemble: bool = True
    learners: Literal["auto"] | tuple[str, ...] = "auto"
    blocked_learners: tuple[str, ...] = ()
    drop_columns: tuple[str, ...] = ()
    sensitive_columns: tuple[str, ...] = ()
    class_weights: bool = False
    positive_label: str | None = None
    time_column: str | None = None
    group_column: str | None = None
    test_fraction: float = Field(default=0.2, ge=0, le=0.5)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _combination(self) -> AutoMLSettings:
        if self.time_budget_s is None and self.max_trials is None:
            raise ValueError("a search needs a time budget or a number of trials")
        if self.metric != "auto" and self.metric not in METRICS:
            raise ValueError(f"'{self.metric}' is no metric; choose one of auto, {', '.join(METRICS)}")
        if self.metric != "auto" and self.task != "auto" and self.task not in METRICS[self.metric].tasks:
            raise ValueError(f"the metric '{self.metric}' does not fit the task '{self.task}'")
        if isinstance(self.folds, int) and not 2 <= self.folds <= 50:
            raise ValueError(f"folds must be auto or 2 to 50, not {self.folds}")
        unknown = {*(() if self.learners == "auto" else self.learners), *self.blocked_learners} - set(LEARNERS)
        if unknown:
            raise ValueError(f"unknown learner {sorted(unknown)}; choose from {', '.join(LEARNERS)}")
        if not self.chosen_learners:
            raise ValueError("no learner is left")
        if self.target in self.drop_columns:
            raise ValueError(f"the target '{self.target}' cannot be dropped")
        if isinstance(self.cv_repeats, int) and not 1 <= self.cv_repeats <= 20:
            raise ValueError(f"cv_repeats must be auto or 1 to 20, not {self.cv_repeats}")
        self._columns()
        return self

    def _columns(self) -> None:
        said = self.column_types or self.column_imputation or self.imputation != "median"
        if self.featurization != "custom" and said:
            raise ValueError("column_types, imputation and column_imputation need featurization custom")
        if self.time_column is not None and self.group_column is not None:
            raise ValueError("rows can be split by time_column or by group_column, not by both")
        for name, taken in (("time_column", self.time_column), ("group_column", self.group_column)):
            if taken == self.target:
                raise ValueError(f"the target '{self.target}' cannot be the {name}")
        for field in ("column_types", "column_imputation"):
            if self.target in getattr(self, field):
                raise ValueError(f"the target '{self.target}' is no feature, so {field} cannot have it")

    @property
    def chosen_learners(self) -> tuple[str, ...]:
        """Learners the search may use, in the order of `LEARNERS`."""
        wanted = LEARNERS if self.learners == "auto" else self.learners
        return tuple(name for name in LEARNERS if name in wanted and name not in self.blocked_learners)
