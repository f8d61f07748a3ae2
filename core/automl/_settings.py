"""The settings of a search: typed once, validated here, stored with its result."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from core.automl.learners.registry import LEARNERS, TABICL
from core.checked import CheckedSettings
from core.errors import SettingsError
from core.evaluation import METRICS
from core.registry import unknown_name
from core.resources import usable_cores

__all__ = ["AutoMLSettings"]

_MOST_SEARCHERS = 4

ColumnType = Literal["numeric", "categorical", "text", "date", "ignore"]
Imputation = Literal["median", "mean", "most_frequent", "zero"]


class AutoMLSettings(CheckedSettings):
    """Settings of `search`.

    Parameters
    ----------
    target : str
        Column to predict.
    task : {"auto", "binary", "multiclass", "regression"}, default="auto"
        Task; auto decides by the target's values.
    metric : str, default="auto"
        Key of `METRICS` that the search optimizes; auto is roc_auc, or r2 for regression.
    time_budget_s : float or None, default=60
        Seconds from the start to a model that predicts. None, with `max_trials`, is the reproducible mode.
    trial_timeout_s : float or None, default=None
        Seconds after which a trial is ended; the search continues.
    max_trials : int or None, default=None
        Exact number of trials, if time allows.
    max_concurrent_trials : int or None, default=None
        Number of trials that run at the same time, each in a process of its own with its share of the cores. None: with
        a time budget as many as there are cores, at most four and one per learner; without one, where the result can
        be repeated, one. With several `nodes`, as many on each of them.
    nodes : int, default=1
        Number of nodes of the cluster that the search works on: the one that it runs on, and others that have free
        cores. Trials are dealt to them in turn. More than one needs an installation that runs on a Ray cluster.
    folds : "auto" or int, default="auto"
        Number of cross-validation folds; auto: 5 up to 20,000 rows, 3 up to 100,000, above that a holdout of 20%.
    cv_repeats : "auto" or int, default="auto"
        Number of times the cross-validation is done, with other folds each time; auto: 3 below 2,000 rows where the
        folds are auto too, otherwise 1.
    early_stopping : bool, default=True
        Whether to end when the last 20 trials brought no gain.
    exit_score : float or None, default=None
        Score at which the search ends.
    explain : bool, default=True
        Whether a run explains its model.
    ensemble : bool, default=True
        Whether to blend the best models of each learner unless that is surely worse than the best; within the budget.
    bagging : bool, default=True
        Whether, of up to 10,000 rows, the final model of a boosted learner is the mean of the models of its folds: more
        accurate than one model on all rows, and several times as large and slow.
    calibrate : bool, default=True
        Whether probabilities are calibrated where that lowers the log loss of other rows by more than a standard error
        and does not make the metric worse; not with `class_weights`, which change the probabilities on purpose.
    featurization : {"auto", "off", "custom"}, default="auto"
        Way in which columns become features; off needs a numeric table, custom is auto except for `column_types`,
        `imputation` and `column_imputation`.
    feature_engineering : bool, default=True
        Whether a search also tries features that are made of the columns: means of the target by category, arithmetic
        of numbers, differences from a group's mean. They are chosen within each fold. Off does without.
    monotone : dict of str to str, optional
        Columns with which the prediction (of two classes, the probability of the positive one) may only rise
        (increasing) or only fall (decreasing), all else equal. Learners that cannot keep to that are not tried, and no
        features are made.
    column_types : dict of str to str, optional
        Type of a column with custom: numeric, categorical, text, date or ignore; auto decides on the others.
    imputation : {"median", "mean", "most_frequent", "zero"}, default="median"
        Value that replaces a missing number, with custom.
    column_imputation : dict of str to str, optional
        The same for single columns of numbers, booleans or dates, with custom; `imputation` decides on the others.
    learners : "auto" or tuple of str, default="auto"
        Keys of `LEARNERS` to try; auto: all but those that do not pay on the table's rows, which a finding names.
    blocked_learners : tuple of str, default=()
        Learners that are removed from `learners`.
    drop_columns : tuple of str, default=()
        Columns that the model must not use.
    sensitive_columns : tuple of str, default=()
        Columns that are stored with the predictions; they are features too unless dropped.
    class_weights : bool, default=False
        Whether classes are weighted by the inverse of their frequency.
    positive_label : str or None, default=None
        Class that the figures of a binary task are about. By default the one that a known word names as favorable,
        such as "approved", else the last in sorted order; `AutoMLResult.positive_class` says which, and why.
    time_column : str or None, default=None
        Column of times: the test rows are then the latest, and each fold is validated on what comes after the rows it
        learned from. A row without a time counts as early.
    group_column : str or None, default=None
        Column of groups: rows with the same value (a patient, a household) are then on one side of every split. The
        time and the group column are features only if `column_types` names them.
    weight_column : str or None, default=None
        Column of row weights, 0 or more: rows count by them in every fit, metric and interval. It is not a feature, and
        new rows need none. Rows without a weight are left out.
    test_fraction : float, default=0.2
        Share of rows held out for the test, 0 to 0.5; 0 means no test.
    seed : int, default=0
        Seed of the splits and of the search.

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
    max_concurrent_trials: int | None = Field(default=None, ge=1, le=64)
    nodes: int = Field(default=1, ge=1, le=64)
    folds: Literal["auto"] | int = "auto"
    cv_repeats: Literal["auto"] | int = "auto"
    early_stopping: bool = True
    exit_score: float | None = None
    explain: bool = True
    featurization: Literal["auto", "off", "custom"] = "auto"
    feature_engineering: bool = True
    monotone: dict[str, Literal["increasing", "decreasing"]] = Field(default_factory=dict)
    column_types: dict[str, ColumnType] = Field(default_factory=dict)
    imputation: Imputation = "median"
    column_imputation: dict[str, Imputation] = Field(default_factory=dict)
    ensemble: bool = True
    bagging: bool = True
    calibrate: bool = True
    learners: Literal["auto"] | tuple[str, ...] = "auto"
    blocked_learners: tuple[str, ...] = ()
    drop_columns: tuple[str, ...] = ()
    sensitive_columns: tuple[str, ...] = ()
    class_weights: bool = False
    positive_label: str | None = None
    time_column: str | None = None
    group_column: str | None = None
    weight_column: str | None = None
    test_fraction: float = Field(default=0.2, ge=0, le=0.5)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _combination(self) -> AutoMLSettings:
        if self.time_budget_s is None and self.max_trials is None:
            raise ValueError("a search needs a time budget or a number of trials")
        if self.metric != "auto" and self.metric not in METRICS:
            raise SettingsError(f"Unknown metric '{self.metric}'.", unknown_name(self.metric, ["auto", *METRICS]))
        if self.metric != "auto" and self.task != "auto" and self.task not in METRICS[self.metric].tasks:
            raise ValueError(f"the metric '{self.metric}' does not fit the task '{self.task}'")
        if isinstance(self.folds, int) and not 2 <= self.folds <= 50:
            raise ValueError(f"folds must be auto or 2 to 50, not {self.folds}")
        for name in (*(() if self.learners == "auto" else self.learners), *self.blocked_learners):
            if name != TABICL.name:  # which an installation need not have, and another may have searched with
                LEARNERS.require(name)
        for name in () if self.learners == "auto" or not self.monotone else self.learners:
            if name in LEARNERS and not LEARNERS[name].monotone:
                raise ValueError(f"{LEARNERS[name].title} cannot keep monotone relations; choose other learners")
        if not self.chosen_learners:
            raise ValueError("no learner is left")
        if self.target in self.drop_columns:
            raise ValueError(f"the target '{self.target}' cannot be dropped")
        if isinstance(self.cv_repeats, int) and not 1 <= self.cv_repeats <= 20:
            raise ValueError(f"cv_repeats must be auto or 1 to 20, not {self.cv_repeats}")
        self._columns()
        return self

    def _columns(self) -> None:
        custom = self.column_types or self.column_imputation or self.imputation != "median"
        if self.featurization != "custom" and custom:
            raise ValueError("column_types, imputation and column_imputation need featurization custom")
        if self.time_column is not None and self.group_column is not None:
            raise ValueError("rows can be split by time_column or by group_column, not by both")
        roles = {name: getattr(self, name) for name in ("time_column", "group_column", "weight_column")}
        for name, column in roles.items():
            if column == self.target:
                raise ValueError(f"the target '{self.target}' cannot be the {name}")
        if self.weight_column is not None:
            if self.weight_column in (self.time_column, self.group_column):
                raise ValueError(f"'{self.weight_column}' cannot have weights and decide on the split as well")
            if self.column_types.get(self.weight_column, "ignore") != "ignore":
                raise ValueError(f"the weight_column '{self.weight_column}' is not a feature, so it has no column type")
        if dropped := sorted(set(self.monotone) & set(self.drop_columns)):
            raise ValueError(f"the dropped column '{dropped[0]}' cannot have a monotone relation")
        for field in ("column_types", "column_imputation", "monotone"):
            if self.target in getattr(self, field):
                raise ValueError(f"the target '{self.target}' is not a feature, so {field} cannot have it")

    @property
    def searchers(self) -> int:
        """Number of processes that try configurations at the same time."""
        if self.max_concurrent_trials is not None:
            return self.max_concurrent_trials
        timed = self.time_budget_s is not None
        per_node = min(usable_cores(), _MOST_SEARCHERS, len(self.chosen_learners)) if timed else 1
        return per_node * self.nodes

    @property
    def chosen_learners(self) -> tuple[str, ...]:
        """Learners that the search may use, in the order of `LEARNERS`."""
        chosen = tuple(LEARNERS) if self.learners == "auto" else self.learners
        return tuple(
            name
            for name, record in LEARNERS.items()
            if name in chosen and name not in self.blocked_learners and (record.monotone or not self.monotone)
        )
