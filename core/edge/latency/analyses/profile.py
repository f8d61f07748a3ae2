"""`profile_operators`: which operators a model's time goes to."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.edge.latency._on_file import run_on_file
from core.edge.latency._settings import LatencySettings, Limits
from core.progress import Report

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["profile_operators"]


def profile_operators(
    path: str | Path,
    settings: LatencySettings | None = None,
    inputs: Any = None,
    *,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
    limits: Limits | None = None,
) -> pd.DataFrame:
    """Profile the operators of a model, as the runtime optimised it.

    The profiler slows the model down: this is never done while latency is measured.

    Parameters
    ----------
    path, settings, inputs, report, should_stop, limits
        As of `measure_latency`; it runs for `duration_s`, 200 times at most.

    Returns
    -------
    DataFrame
        operator, nodes (of the optimised graph), calls, total_ms, share (of all), mean_us (a call); the most first.
        The time of a Loop, an If or a Scan holds that of the operators within it.

    Raises
    ------
    InputError, LimitError, SettingsError, StoppedError
        As of `measure_latency`.

    Examples
    --------
    >>> from core.edge.latency.measuring.session import IDENTITY
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "identity.onnx"
    ...     _ = file.write_bytes(IDENTITY)
    ...     found = profile_operators(file, LatencySettings(duration_s=0.1))
    >>> found["operator"].tolist(), found["share"].sum()
    (['Identity'], np.float64(1.0))
    """
    import pandas as pd

    settings = settings or LatencySettings()
    with tempfile.TemporaryDirectory(prefix="plumbline-profile-") as name:
        found, _ = run_on_file(
            "profile",
            Path(path),
            Path(name),
            settings,
            inputs,
            duration_s=settings.duration_s,
            report=report,
            should_stop=should_stop,
            limits=limits,
        )
    table = pd.DataFrame(found["operators"], columns=["operator", "nodes", "calls", "total_us"])
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
