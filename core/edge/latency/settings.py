"""Settings of a measurement, limits of the measuring process, and service level objectives."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Literal

from pydantic import Field, JsonValue, field_validator, model_validator

from core.checked import CheckedSettings
from core.edge.latency.scenarios import SCENARIOS
from core.edge.portable.session import DISABLED_OPTIMIZERS

__all__ = ["LatencySettings", "Limits", "Slo", "providers"]

_CPU = "CPUExecutionProvider"
_REMOTE = "AzureExecutionProvider"  # sends each request to a service: no device of this machine


def _default_disabled(settings: dict[str, JsonValue]) -> tuple[str, ...]:
    return DISABLED_OPTIMIZERS if settings.get("provider") == _CPU else ()


class LatencySettings(CheckedSettings):
    """Settings of `measure_latency`.

    Parameters
    ----------
    scenario : str, default="single_stream"
        A name of `SCENARIOS`, as in MLPerf. single_stream: one request after the other (a closed loop). server:
        requests arrive at random (Poisson) whether or not the last one is answered, so that waiting counts. offline:
        all requests are there at once, and throughput counts.
    batch_size : int, default=1
        Rows per request.
    target_qps : float, optional
        Requests per second of the server scenario. None, with `latency_bound_ms`, searches for the highest rate.
    latency_bound_ms : float, optional
        Milliseconds within which 99% of the requests of the server scenario must be answered.
    warmup_s : float, default=1.0
        Seconds of warm-up.
    duration_s : float, default=5.0
        Seconds of the measurement, which is never stretched: no request begins after it.
    intra_op_threads : int, default=1
        Threads within an operator.
    inter_op_threads : int, default=1
        Threads between operators; more than one needs the execution mode "parallel".
    provider : str, default="CPUExecutionProvider"
        The execution provider, one of `providers()`.
    graph_optimization : {"all", "extended", "basic", "none"}, default="all"
        Level of ONNX Runtime's graph optimization.
    disabled_optimizers : tuple of str
        Graph optimizations to leave out, by ONNX Runtime's names (it ignores unknown ones). By default, on the CPU,
        those that scoring leaves out too: "SkipLayerNormFusion", which slows language models down there.
    execution_mode : {"sequential", "parallel"}, default="sequential"
        Whether operators run one after the other or in parallel.
    allow_spinning : bool, default=False
        Whether idle threads of ONNX Runtime wait busily; with gaps between requests that costs time and power.
    memory_arena : bool, default=True
        Whether ONNX Runtime keeps memory for later requests.
    sequence_length : int, optional
        Tokens that every text is padded or truncated to; None pads to the longest text of a batch.
    seed : int, default=0
        Seed of the random number generator that draws arrivals and random inputs.
    engine : {"loop", "loadgen"}, default="loop"
        "loop" measures in a loop of ours; with "loadgen" MLPerf's own load generator drives the same session.

    Raises
    ------
    SettingsError
        When a value, or a combination, is invalid.

    Examples
    --------
    >>> LatencySettings(scenario="server", target_qps=100).engine
    'loop'
    """

    scenario: str = "single_stream"
    batch_size: int = Field(default=1, ge=1, le=65_536)
    target_qps: float | None = Field(default=None, gt=0, le=1e6)
    latency_bound_ms: float | None = Field(default=None, gt=0, le=3.6e6)
    warmup_s: float = Field(default=1.0, ge=0, le=600)
    duration_s: float = Field(default=5.0, gt=0, le=3_600)
    intra_op_threads: int = Field(default=1, ge=1, le=1_024)
    inter_op_threads: int = Field(default=1, ge=1, le=1_024)
    provider: str = _CPU
    graph_optimization: Literal["all", "extended", "basic", "none"] = "all"
    disabled_optimizers: tuple[str, ...] = Field(default_factory=_default_disabled)
    execution_mode: Literal["sequential", "parallel"] = "sequential"
    allow_spinning: bool = False
    memory_arena: bool = True
    sequence_length: int | None = Field(default=None, ge=1, le=65_536)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    engine: Literal["loop", "loadgen"] = "loop"

    @field_validator("scenario")
    @classmethod
    def _known_scenario(cls, name: str) -> str:
        return SCENARIOS.require(name).name

    @model_validator(mode="after")
    def _check_combination(self) -> LatencySettings:
        has_rate = self.target_qps is not None or self.latency_bound_ms is not None
        if "target_qps" in SCENARIOS[self.scenario].settings:
            if not has_rate:
                raise ValueError(
                    f"the {self.scenario} scenario needs target_qps, or latency_bound_ms to search for the highest rate"
                )
            if self.target_qps is None and self.engine == "loadgen":
                raise ValueError("only the engine 'loop' searches for the highest rate; loadgen needs target_qps")
        elif has_rate:
            raise ValueError(f"target_qps and latency_bound_ms belong to the server scenario, not to '{self.scenario}'")
        if self.inter_op_threads > 1 and self.execution_mode == "sequential":
            raise ValueError(
                f"inter_op_threads={self.inter_op_threads} has no effect unless execution_mode is 'parallel'"
            )
        # The default is in every build: asking for it would load ONNX Runtime for nothing.
        if self.provider != _CPU and self.provider not in providers():
            reason = "is not a device of this machine" if self.provider == _REMOTE else "is not installed here"
            raise ValueError(f"the provider '{self.provider}' {reason}; choose one of {', '.join(providers())}")
        if self.engine == "loadgen" and find_spec("mlperf_loadgen") is None:
            raise ValueError("the engine 'loadgen' needs: pip install mlcommons-loadgen")
        return self

    def to_stored(self) -> dict[str, JsonValue]:
        """Return the settings as a report stores them."""
        return self.model_dump(mode="json")

    @classmethod
    def from_stored(cls, values: Mapping[str, JsonValue] | LatencySettings) -> LatencySettings:
        """Return the settings of a stored report, whether or not this machine could run them."""
        if isinstance(values, LatencySettings):
            return values
        known: dict[str, Any] = {name: value for name, value in values.items() if name in cls.model_fields}
        known["disabled_optimizers"] = tuple(known.get("disabled_optimizers", ()))
        return cls.model_construct(None, **known)

    @property
    def threads(self) -> int:
        """Threads that can work at the same time; the measuring process is pinned to as many cores."""
        return max(self.intra_op_threads, self.inter_op_threads)


class Limits(CheckedSettings):
    """Limits of a measuring process, because it also runs models that users upload.

    Parameters
    ----------
    memory_mb : int, default=4096
        Resident memory, MB (2**20 bytes).
    load_s : float, default=60.0
        Seconds to start the process, and to load the model.

    Examples
    --------
    >>> Limits(memory_mb=512).load_s
    60.0
    """

    memory_mb: int = Field(default=4_096, ge=64)
    load_s: float = Field(default=60.0, gt=0)


class Slo(CheckedSettings):
    """A service level objective: at this rate of requests, this percentile lies within this bound.

    Parameters
    ----------
    bound_ms : float
        Milliseconds within which the percentile must lie.
    qps : float
        Requests per second, arriving at random.
    percentile : {50, 90, 95, 99, 99.9}, default=99
        The percentile of the latency.
    threads : int, default=1
        Threads that the model gets.

    Examples
    --------
    >>> Slo(bound_ms=20, qps=50).percentile
    99
    """

    bound_ms: float = Field(gt=0, le=3.6e6)
    qps: float = Field(gt=0, le=1e6)
    percentile: Literal[50, 90, 95, 99] | float = 99
    threads: int = Field(default=1, ge=1, le=1_024)

    @model_validator(mode="after")
    def _known_percentile(self) -> Slo:
        if self.percentile not in (50, 90, 95, 99, 99.9):
            raise ValueError(f"percentile is 50, 90, 95, 99 or 99.9, not {self.percentile}")
        return self


def providers() -> list[str]:
    """Return the execution providers of this machine, by ONNX Runtime's names, without the remote one.

    Examples
    --------
    >>> "AzureExecutionProvider" in providers()
    False
    """
    import onnxruntime

    return [name for name in onnxruntime.get_available_providers() if name != _REMOTE]
