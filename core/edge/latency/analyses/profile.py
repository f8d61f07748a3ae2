"""`profile_operators`: how much of a model's time each operator takes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from core.edge.latency.inputs import ModelInputs
from core.edge.latency.messages import OperatorTime
from core.edge.latency.run_operation import run_on_file
from core.edge.latency.settings import LatencySettings, Limits
from core.progress import Report

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["profile_operators"]


def profile_operators(
    path: str | Path,
    settings: LatencySettings | None = None,
    inputs: ModelInputs = None,
    *,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
    limits: Limits | None = None,
) -> pd.DataFrame:
    """Profile the operators of a model, as the runtime optimized it.

    The profiler slows the model down, so latency is never measured at the same time.

    Parameters
    ----------
    path, settings, inputs, report, should_stop, limits : optional
        See `measure_latency`; the model runs for `duration_s`, 200 times at most.

    Returns
    -------
    DataFrame
        operator, nodes (of the optimized graph), calls, total_ms, share (of all), mean_us (per call); the longest
        first. The time of a Loop, an If or a Scan includes that of the operators within it.

    Raises
    ------
    InputError, LimitError, SettingsError, StoppedError
        See `measure_latency`.

    Examples
    --------
    >>> from core.edge.latency.measuring.session import IDENTITY
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "identity.onnx"
    ...     _ = file.write_bytes(IDENTITY)
    ...     table = profile_operators(file, LatencySettings(duration_s=0.1))
    >>> table["operator"].tolist(), table["share"].sum()
    (['Identity'], np.float64(1.0))
    """
    import pandas as pd

    settings = settings or LatencySettings()
    with tempfile.TemporaryDirectory(prefix="plumbline-profile-") as name:
        times, _ = run_on_file(
            "profile",
            Path(path),
            Path(name),
            settings,
            inputs,
            list[OperatorTime],
            duration_s=settings.duration_s,
            report=report,
            should_stop=should_stop,
            limits=limits,
        )
    table = pd.DataFrame([asdict(time) for time in times], columns=["operator", "nodes", "calls", "total_us"])
    total = max(int(table["total_us"].sum()), 1)
    return (
        table.assign(
            total_ms=table["total_us"] / 1e3,
            share=table["total_us"] / total,
            mean_us=table["total_us"] / table["calls"],
        )
        .drop(columns="total_us")
        .sort_values("total_ms", ascending=False, ignore_index=True)
    )
