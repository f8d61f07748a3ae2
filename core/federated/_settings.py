"""The settings of a federated training: typed once, validated here, stored with its result."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from core.checked import CheckedSettings
from core.errors import SettingsError
from core.evaluation import METRICS
from core.federated.aggregation import AGGREGATIONS
from core.registry import unknown_name

__all__ = ["MIN_COUNT", "ColumnType", "FederatedSettings"]

MIN_COUNT = 10
"""Rows behind a count that leaves a site, at least."""
ColumnType = Literal["numeric", "categorical", "date", "ignore"]

_ROUNDS = {"linear": 300, "boosting": 100}
_OTHER_ROUNDS = 30


class FederatedSettings(CheckedSettings):
    """Settings of `federate`.

    Parameters
    ----------
    target : str
        Column to predict.
    site_column : str or None, default=None
        Column whose values are the sites, where one table has the rows of all; it is not a feature. None where each
        site has a table of its own.
    task : {"auto", "binary", "multiclass", "regression"}, default="auto"
        Task; auto is what each site would decide by its own values, as long as they agree.
    metric : str, default="auto"
        Key of `METRICS` by which models are compared; auto is roc_auc, or r2 for regression.
    algorithm : str, default="boosting"
        Key of `ALGORITHMS`.
    rounds : "auto" or int, default="auto"
        Rounds of training, or trees per class; auto: 100 trees, 30 rounds of averaging, and at most 300 of a
        regression, which ends when it has converged.
    learning_rate : "auto" or float, default="auto"
        Step of local training, or weight of each tree; auto: 0.1.
    local_epochs : int, default=3
        Number of times per round that a site sees its rows, with averaging.
    batch_size : int or None, default=32
        Rows of a local step, with averaging; None: all rows.
    hidden : int, default=16
        Width of the two hidden layers of a net; 0: none, which is a logistic or linear regression.
    proximal : float, default=0.1
        Weight of the distance from the shared model in FedProx's local loss.
    server_learning_rate : float, default=0.02
        Step of the coordinator in FedAdam.
    max_leaves : int, default=15
        Maximum number of leaves of a tree.
    min_leaf_rows : int, default=20
        Minimum number of rows in a leaf, over all sites.
    bins : int, default=63
        Maximum number of bins of a number, for trees.
    l2 : float, default=1.0
        Penalty of the squared coefficients of a linear model, as in scikit-learn (1 / C, or alpha), and of trees'
        leaves.
    aggregation : str, default="mean"
        Key of `AGGREGATIONS`: how updates of sites become one.
    assumed_faulty : int, default=1
        Number of sites that a robust aggregation holds against.
    secure_sums : bool, default=True
        Whether the coordinator sees sums over sites only, by masks. Robust aggregations need each site's update and do
        without.
    noise_multiplier : float or None, default=None
        Standard deviation of the noise in units of `clip`, of record-level differential privacy with averaging. None:
        no noise, and no guarantee.
    clip : float, default=1.0
        Largest norm of the gradient of one row, with noise.
    delta : float, default=1e-5
        Probability with which the guarantee may fail, with noise.
    min_sites : int, default=2
        Number of sites without which a round cannot be made.
    drop_columns : tuple of str, default=()
        Columns that the model must not use.
    sensitive_columns : tuple of str, default=()
        Columns that are stored with the predictions; they are features too unless dropped.
    column_types : dict of str to str, optional
        Type of a column: numeric, categorical, date or ignore; the sites decide on the others by their values.
    positive_label : str or None, default=None
        Class that the figures of a binary task are about, as for a search.
    test_fraction : float, default=0.2
        Share of each site's rows held out for the test, 0 to 0.5.
    folds : int, default=5
        Number of folds for out-of-fold predictions of the training rows; 0: none. Only a simulation makes them.
    pooled : bool, default=True
        Whether a simulation also trains on the rows of all sites in one place, to show the distance.
    seed : int, default=0
        Seed of the splits and of the training.

    Raises
    ------
    SettingsError
        When a value, or a combination, is invalid.

    Examples
    --------
    >>> FederatedSettings(target="income", site_column="country").rounds_to_train
    100
    """

    target: str = Field(min_length=1)
    site_column: str | None = Field(default=None, min_length=1)
    task: Literal["auto", "binary", "multiclass", "regression"] = "auto"
    metric: str = "auto"
    algorithm: str = "boosting"
    rounds: Literal["auto"] | int = "auto"
    learning_rate: Literal["auto"] | float = "auto"
    local_epochs: int = Field(default=3, ge=1, le=1_000)
    batch_size: int | None = Field(default=32, ge=1)
    hidden: int = Field(default=16, ge=0, le=1_024)
    proximal: float = Field(default=0.1, ge=0)
    server_learning_rate: float = Field(default=0.02, gt=0)
    max_leaves: int = Field(default=15, ge=2, le=1_024)
    min_leaf_rows: int = Field(default=20, ge=MIN_COUNT)
    bins: int = Field(default=63, ge=2, le=255)
    l2: float = Field(default=1.0, ge=0)
    aggregation: str = "mean"
    assumed_faulty: int = Field(default=1, ge=1)
    secure_sums: bool = True
    noise_multiplier: float | None = Field(default=None, ge=0, le=1_000)
    clip: float = Field(default=1.0, gt=0)
    delta: float = Field(default=1e-5, gt=0, lt=1)
    min_sites: int = Field(default=2, ge=1)
    drop_columns: tuple[str, ...] = ()
    sensitive_columns: tuple[str, ...] = ()
    column_types: dict[str, ColumnType] = Field(default_factory=dict)
    positive_label: str | None = None
    test_fraction: float = Field(default=0.2, ge=0, le=0.5)
    folds: int = Field(default=5, ge=0, le=20)
    pooled: bool = True
    seed: int = Field(default=0, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _combination(self) -> FederatedSettings:
        from core.federated.algorithms.registry import ALGORITHMS

        algorithm = ALGORITHMS.require(self.algorithm)
        aggregation = AGGREGATIONS.require(self.aggregation)
        if self.metric != "auto" and self.metric not in METRICS:
            raise SettingsError(f"Unknown metric '{self.metric}'.", unknown_name(self.metric, ["auto", *METRICS]))
        if self.metric != "auto" and self.task != "auto" and self.task not in METRICS[self.metric].tasks:
            raise ValueError(f"the metric '{self.metric}' does not fit the task '{self.task}'")
        if self.rounds != "auto" and not 1 <= self.rounds <= 10_000:
            raise ValueError(f"rounds must be auto or 1 to 10,000, not {self.rounds}")
        if self.learning_rate != "auto" and not 0 < self.learning_rate <= 10:
            raise ValueError(f"learning_rate must be auto or above 0, at most 10, not {self.learning_rate}")
        if self.folds == 1:
            raise ValueError("folds must be 0 or 2 to 20, not 1")
        if not algorithm.averages and aggregation.name != "mean":
            raise ValueError(f"{algorithm.title} needs sums over sites, so the aggregation must be mean")
        if not algorithm.averages and not self.secure_sums:
            raise ValueError(f"{algorithm.title} shares sums over few rows, so it needs secure_sums")
        if not algorithm.averages and self.noise_multiplier is not None:
            raise ValueError(f"{algorithm.title} has no noise; choose an algorithm that averages, such as fedavg")
        names = {"site_column": self.site_column}
        for role, column in names.items():
            if column == self.target:
                raise ValueError(f"the target '{self.target}' cannot be the {role}")
        if self.target in self.drop_columns:
            raise ValueError(f"the target '{self.target}' cannot be dropped")
        if self.target in self.column_types:
            raise ValueError(f"the target '{self.target}' is not a feature, so column_types cannot have it")
        return self

    @property
    def rounds_to_train(self) -> int:
        """Number of rounds, or of trees per class."""
        return _ROUNDS.get(self.algorithm, _OTHER_ROUNDS) if self.rounds == "auto" else self.rounds

    @property
    def step(self) -> float:
        """Learning rate."""
        return 0.1 if self.learning_rate == "auto" else self.learning_rate

    @property
    def masked(self) -> bool:
        """Whether the coordinator sees sums only."""
        return self.secure_sums and AGGREGATIONS[self.aggregation].summed
