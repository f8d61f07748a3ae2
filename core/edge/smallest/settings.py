"""Settings of a search for the smallest variant that is good enough: the objective, and what is tried."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from core.checked import CheckedSettings
from core.edge.latency.settings import LatencySettings
from core.edge.variants.forms import VARIANT_FORMS

__all__ = ["SmallestSettings"]


class SmallestSettings(CheckedSettings):
    """Settings of `find_smallest`.

    Parameters
    ----------
    latency_ms : float, optional
        Milliseconds within which the percentile of a request's latency must lie.
    percentile : {50, 90, 95, 99, 99.9}, default=90
        The percentile of the latency.
    size_mb : float, optional
        Largest size of the file, 10^6 bytes.
    max_loss : float, optional
        Largest loss of quality against the model as it was exported, in units of the metric (0.01 is one percentage
        point of accuracy), on rows that were held out.
    metric : {"accuracy", "roc_auc", "r2", "rmse"}, optional
        The metric of the quality; by default accuracy, or R² for numbers.
    minimize : {"size", "latency"}, default="size"
        Quantity to be smallest among all that meet the objective. "size": the file; of the same file, the fewest
        threads, then the lowest latency per row. "latency": the latency per row, then the file.
    forms : tuple of str, optional
        Names of `VARIANT_FORMS`; by default all. Full precision is always there to compare with.
    threads : tuple of int, default=(1,)
        Numbers of threads to try.
    batch_sizes : tuple of int, default=(1,)
        Numbers of rows per request to try.
    lengths : tuple of int, default=()
        Numbers of tokens per text to read at most, besides as many as the model was trained with.
    scenario : {"single_stream", "server", "offline"}, default="single_stream"
        A name of `SCENARIOS`, in which latency is measured.
    target_qps : float, optional
        Requests per second of the server scenario.
    short_s : float, default=0.5
        Seconds of the first measurement of each candidate.
    long_s : float, default=3.0
        Seconds, over all rounds, that contenders are measured for; longer where the percentile needs more samples.
    rounds : int, default=3
        Rounds of the long measurement. All contenders are measured in each, so that a change of the machine's speed
        meets all of them.
    contenders : int, default=6
        Number of candidates, the cheapest first, that are measured for longer at a time.
    seed : int, default=0
        Seed of the random number generator that draws arrivals, and the order of the first measurements.

    Raises
    ------
    SettingsError
        When a value, or a combination, is invalid.

    Examples
    --------
    >>> SmallestSettings(latency_ms=10, max_loss=0.01).percentile
    90
    """

    latency_ms: float | None = Field(default=None, gt=0, le=3.6e6)
    percentile: Literal[50, 90, 95, 99] | float = 90
    size_mb: float | None = Field(default=None, gt=0, le=1e6)
    max_loss: float | None = Field(default=None, ge=0, le=1e12)
    metric: Literal["accuracy", "roc_auc", "r2", "rmse"] | None = None
    minimize: Literal["size", "latency"] = "size"
    forms: tuple[str, ...] | None = None
    threads: tuple[int, ...] = Field(default=(1,), min_length=1, max_length=16)
    batch_sizes: tuple[int, ...] = Field(default=(1,), min_length=1, max_length=16)
    lengths: tuple[int, ...] = Field(default=(), max_length=16)
    scenario: str = "single_stream"
    target_qps: float | None = Field(default=None, gt=0, le=1e6)
    short_s: float = Field(default=0.5, gt=0, le=60)
    long_s: float = Field(default=3.0, gt=0, le=600)
    rounds: int = Field(default=3, ge=1, le=20)
    contenders: int = Field(default=6, ge=1, le=100)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)

    @field_validator("forms")
    @classmethod
    def _known_forms(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if names is None else tuple(VARIANT_FORMS.require(name).name for name in dict.fromkeys(names))

    @field_validator("threads", "batch_sizes", "lengths")
    @classmethod
    def _sorted(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(values)))

    @model_validator(mode="after")
    def _check_combination(self) -> SmallestSettings:
        if self.percentile not in (50, 90, 95, 99, 99.9):
            raise ValueError(f"percentile is 50, 90, 95, 99 or 99.9, not {self.percentile}")
        if any(length < 4 for length in self.lengths):
            raise ValueError("lengths: a text needs at least 4 tokens")
        for threads in self.threads:
            for batch_size in self.batch_sizes:
                self.latency(threads, batch_size, 1.0)
        return self

    def latency(self, threads: int, batch_size: int, duration_s: float) -> LatencySettings:
        """Return the settings of one measurement.

        Parameters
        ----------
        threads : int
            Threads that the model gets.
        batch_size : int
            Rows per request.
        duration_s : float
            Seconds of the measurement.

        Raises
        ------
        SettingsError
            When the scenario cannot be measured so.
        """
        return LatencySettings(
            scenario=self.scenario,
            batch_size=batch_size,
            target_qps=self.target_qps,
            warmup_s=min(0.3, duration_s),
            duration_s=duration_s,
            intra_op_threads=threads,
            seed=self.seed,
        )
