"""The result file of a search or a fine-tuning, with types: what cards, comparisons and exports read of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache

from pydantic import JsonValue, TypeAdapter

from core.datasets import Finding
from core.evaluation import Estimate

__all__ = ["BaseModelFacts", "RunResult", "StoredEstimate", "TrainingFacts", "Winner"]


@dataclass(frozen=True)
class StoredEstimate:
    """An estimate as a result file stores it: what could not be measured is None.

    Parameters
    ----------
    value, low, high : float or None
        The value and its 95% interval.
    n : int
        Number of rows behind it.
    rarest : int or None, default=None
        Number of rows of the rarest class among them, or of groups that have such rows.
    reason : str, default=""
        Reason for a missing interval.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    rarest: int | None = None
    reason: str = ""

    @classmethod
    def of(cls, estimate: Estimate) -> StoredEstimate:
        """Return an estimate as a result file stores it."""
        value = float(estimate.value) if math.isfinite(estimate.value) else None
        return cls(value, estimate.low, estimate.high, estimate.n, estimate.rarest, estimate.reason)

    @property
    def estimate(self) -> Estimate:
        """The estimate, with NaN for a value that could not be measured."""
        value = math.nan if self.value is None else self.value
        return Estimate(value, self.low, self.high, self.n, self.rarest, self.reason)


@dataclass(frozen=True)
class Winner:
    """The configuration that a search chose."""

    learner: str
    config: dict[str, JsonValue] | None = None
    fitted: int = 1
    calibration: dict[str, JsonValue] | None = None


@dataclass(frozen=True)
class BaseModelFacts:
    """The pre-trained model that a fine-tuning started from."""

    name: str
    title: str
    parameters: int
    licence: str


@dataclass(frozen=True)
class TrainingFacts:
    """How a fine-tuning went."""

    steps: int
    best_step: int
    trainable: int
    precision: str


@dataclass(frozen=True)
class RunResult:
    """What ``result.json`` of a search or a fine-tuning holds.

    Fields with a default are stored by one of the two only. Each is described where it is computed: see
    `core.automl.AutoMLResult` and `core.finetune.FineTuneResult`.
    """

    task: str
    metric: str
    verdict: str
    labels: list[bool | int | float | str] | None
    settings: dict[str, JsonValue]
    test_metrics: dict[str, StoredEstimate]
    baseline_metrics: dict[str, dict[str, StoredEstimate]]
    differences: dict[str, StoredEstimate]
    rows: dict[str, int | None]
    elapsed_s: float
    packages: dict[str, str]
    findings: list[Finding] = field(default_factory=list)
    confusion: list[list[int | float]] | None = None
    curves: dict[str, JsonValue] = field(default_factory=dict)
    features: list[str] = field(default_factory=list)
    trials: list[JsonValue] = field(default_factory=list)
    winner: Winner | None = None
    stop_reason: str = ""
    split_method: str = ""
    base_model: BaseModelFacts | None = None
    training: TrainingFacts | None = None
    device: str = ""
    learning_curve: dict[str, JsonValue] | None = None

    @classmethod
    def from_json(cls, content: bytes) -> RunResult:
        """Read a result file."""
        return _adapter().validate_json(content)

    @property
    def test_rows(self) -> int:
        """Number of rows that were held out for the test."""
        return self.rows["test"] or 0

    @property
    def sensitive_columns(self) -> list[str]:
        """The columns that the settings mark as sensitive."""
        columns = self.settings["sensitive_columns"]
        assert isinstance(columns, list)
        return [str(name) for name in columns]

    def integer_setting(self, name: str) -> int:
        """Return a setting that is a whole number, such as ``max_length``."""
        value = self.settings[name]
        assert isinstance(value, int)
        return value


@cache
def _adapter() -> TypeAdapter[RunResult]:
    return TypeAdapter(RunResult)
