"""What a measurement is asked to do, and how much it may take: typed once, validated here."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Literal

from pydantic import Field, model_validator

from core.checked import CheckedSettings
from core.edge.portable.session import DISABLED_OPTIMIZERS

__all__ = ["LatencySettings", "Limits", "Slo", "providers"]

_CPU = "CPUExecutionProvider"
_REMOTE = "AzureExecutionProvider"  # sends each request to a service: no device of this machine


def _slow_rewritings(settings: dict[str, Any]) -> tuple[str, ...]:
    return DISABLED_OPTIMIZERS if settings.get("provider") == _CPU else ()


class LatencySettings(CheckedSettings):
    """Settings of `measure_latency`.

    Parameters
    ----------
    scenario : str
        By MLPerf's names. single_stream: one request after the other (a closed loop). server: requests arrive at
        random (Poisson) whether or not the last one is done, so that waiting counts. offline: all requests are
        there at once; what counts is throughput.
    batch_size : int
        Rows of a request.
    target_qps : float or None
        Requests a second of the server scenario. None, with `latency_bound_ms`: the highest rate is searched.
    latency_bound_ms : float or None
        Server scenario: 99 % of the requests must be answered within it.
    warmup_s, duration_s : float
        Seconds of warm-up, and of the measurement, which is never stretched: no request begins after it.
    intra_op_threads, inter_op_threads : int
        Threads within an operator, and of operators beside each other (execution_mode "parallel" only).
    graph_optimization : str
        all, extended, basic or none.
    disabled_optimizers : tuple of str
        Rewritings of the graph to leave out, by ONNX Runtime's names (it ignores others). By default, on the
        processor, what scoring leaves out too: "SkipLayerNormFusion", which makes language models slower there.
    execution_mode : str
        sequential or parallel.
    provider : str
        One of `providers()`.
    allow_spinning : bool
        Whether idle threads of ONNX Runtime wait busily. Off: with gaps between requests it costs time and power.
    memory_arena : bool
        Whether ONNX Runtime keeps memory for later requests.
    sequence_length : int or None
        Tokens that every text is padded or cut to; None: as long as the longest text of a batch.
    seed : int
        Of arrivals and of random inputs.
    engine : str
        loop, or loadgen: MLPerf's own load generator drives the same session.

    Raises
    ------
    SettingsError
        When a value, or a combination, is invalid.

    Examples
    --------
    >>> LatencySettings(scenario="server", target_qps=100).engine
    'loop'
    """

    scenario: Literal["single_stream", "server", "offline"] = "single_stream"
    batch_size: int = Field(default=1, ge=1, le=65_536)
    target_qps: float | None = Field(default=None, gt=0, le=1e6)
    latency_bound_ms: float | None = Field(default=None, gt=0, le=3.6e6)
    warmup_s: float = Field(default=1.0, ge=0, le=600)
    duration_s: float = Field(default=5.0, gt=0, le=3_600)
    intra_op_threads: int = Field(default=1, ge=1, le=1_024)
    inter_op_threads: int = Field(default=1, ge=1, le=1_024)
    provider: str = _CPU
    graph_optimization: Literal["all", "extended", "basic", "none"] = "all"
    disabled_optimizers: tuple[str, ...] = Field(default_factory=_slow_rewritings)
    execution_mode: Literal["sequential", "parallel"] = "sequential"
    allow_spinning: bool = False
    memory_arena: bool = True
    sequence_length: int | None = Field(default=None, ge=1, le=65_536)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    engine: Literal["loop", "loadgen"] = "loop"

    @model_validator(mode="after")
    def _combination(self) -> LatencySettings:
        if self.scenario == "server":
            if self.target_qps is None and self.latency_bound_ms is None:
                raise ValueError("the server scenario needs target_qps, or latency_bound_ms to search the highest rate")
            if self.target_qps is None and self.engine == "loadgen":
                raise ValueError("the highest rate is searched by the engine 'loop'; loadgen needs target_qps")
        elif self.target_qps is not None or self.latency_bound_ms is not None:
            raise ValueError(f"target_qps and latency_bound_ms belong to the server scenario, not to '{self.scenario}'")
        if self.inter_op_threads > 1 and self.execution_mode == "sequential":
            raise ValueError(
                f"inter_op_threads={self.inter_op_threads} has no effect unless execution_mode is 'parallel'"
            )
        # The default is in every build: asking for it would load ONNX Runtime for nothing.
        if self.provider != _CPU and self.provider not in providers():
            reason = "is no device of this machine" if self.provider == _REMOTE else "is not installed here"
            raise ValueError(f"the provider '{self.provider}' {reason}; there is {', '.join(providers())}")
        if self.engine == "loadgen" and find_spec("mlperf_loadgen") is None:
            raise ValueError("the engine 'loadgen' needs: pip install mlcommons-loadgen")
        return self

    @property
    def threads(self) -> int:
        """Threads that can work at the same time: so many cores the measuring process gets."""
        return max(self.intra_op_threads, self.inter_op_threads)


class Limits(CheckedSettings):
    """What a measuring process may take: models of others run there.

    Parameters
    ----------
    memory_mb : int
        Resident memory, MB (2**20 bytes).
    load_s : float
        Seconds to start the process, and to load the model.

    Examples
    --------
    >>> Limits(memory_mb=512).load_s
    60.0
    """

    memory_mb: int = Field(default=4_096, ge=64)
    load_s: float = Field(default=60.0, gt=0)


class Slo(CheckedSettings):
    """A service level objective: so many requests a second, and this percentile within this bound.

    Parameters
    ----------
    bound_ms : float
        Milliseconds.
    qps : float
        Requests a second, arriving at random.
    percentile : float
        50, 90, 95, 99 or 99.9.
    threads : int
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
    def _known(self) -> Slo:
        if self.percentile not in (50, 90, 95, 99, 99.9):
            raise ValueError(f"percentile is 50, 90, 95, 99 or 99.9, not {self.percentile}")
        return self


def providers() -> list[str]:
    """Return the execution providers that exist here, by ONNX Runtime's names, without the remote one.

    Examples
    --------
    >>> "AzureExecutionProvider" in providers()
    False
    """
    import onnxruntime

    return [name for name in onnxruntime.get_available_providers() if name != _REMOTE]
