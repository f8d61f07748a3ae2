"""Many measurements side by side, and the Pareto-optimal ones among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from core.edge.latency.inputs import ModelInputs
from core.edge.latency.measure import measure_latency
from core.edge.latency.report import LatencyReport
from core.edge.latency.settings import LatencySettings, Limits
from core.errors import PlumblineError, SettingsError, StoppedError
from core.progress import Event, Report, silent
from core.registry import unknown_name

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["pareto", "sweep"]

_COLUMNS = (
    "p50_ms",
    "p90_ms",
    "p99_ms",
    "throughput",
    "cpu_s",
    "peak_rss_mb",
    "size_mb",
    "accuracy",
    "stable",
    "busy",
)


def sweep(
    variants: Mapping[str, str | Path],
    settings: LatencySettings | None = None,
    axes: Mapping[str, Sequence[int | float | str]] | None = None,
    *,
    inputs: ModelInputs = None,
    accuracy: Mapping[str, float] | None = None,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
    limits: Limits | None = None,
) -> pd.DataFrame:
    """Measure all combinations of variants and settings.

    Parameters
    ----------
    variants : mapping of str to path
        Files by name.
    settings : LatencySettings, optional
        The settings that no axis varies.
    axes : mapping of str to sequence, optional
        Values by the name of a setting, such as intra_op_threads, batch_size, graph_optimization, sequence_length.
    inputs : optional
        See `measure_latency`; the same for all.
    accuracy : mapping of str to float, optional
        Accuracy by variant.
    report, should_stop, limits : optional
        See `measure_latency`.

    Returns
    -------
    DataFrame
        One row per combination: variant, the axes, p50_ms, p90_ms, p99_ms (NaN with too few samples), throughput (rows
        per second), cpu_s (per row), peak_rss_mb, size_mb, accuracy, stable, busy, and error: why it failed, empty when
        it did not. A combination that fails does not end the others.

    Raises
    ------
    SettingsError
        When an axis is not a setting, or there is nothing to measure.
    StoppedError
        When it was stopped.
    """
    import pandas as pd

    base, axes, report_progress = settings or LatencySettings(), dict(axes or {}), report or silent
    unknown = [name for name in axes if name not in LatencySettings.model_fields]
    if unknown:
        raise SettingsError(
            f"'{unknown[0]}' is not a setting that a sweep can vary.",
            unknown_name(unknown[0], LatencySettings.model_fields),
        )
    grid = [(variant, values) for variant in variants for values in product(*axes.values())]
    if not grid:
        raise SettingsError("There is nothing to measure.", "Give a variant, and a value for each axis.")
    rows = []
    for number, (variant, values) in enumerate(grid):
        combination = dict(zip(axes, values, strict=True))
        title = ", ".join([str(variant), *(f"{name} {value}" for name, value in combination.items())])

        def forward(event: Event, number: int = number, title: str = title) -> None:
            fraction = (number + (event.fraction or 0.0)) / len(grid)
            report_progress(Event("sweep", fraction, f"{number + 1} of {len(grid)}: {title}", {"number": number}))

        row: dict[str, bool | int | float | str | None] = {"variant": variant, **combination}
        path = Path(variants[variant])
        try:
            measured = measure_latency(
                path,
                LatencySettings(**base.model_dump() | combination),
                inputs=inputs,
                report=forward,
                should_stop=should_stop,
                limits=limits,
            )
        except StoppedError:
            raise
        except PlumblineError as error:
            row |= dict.fromkeys(_COLUMNS) | {"error": str(error)}
        else:
            row |= _columns(measured) | {"error": ""}
        row["size_mb"] = path.stat().st_size / 1e6 if path.is_file() else None
        row["accuracy"] = (accuracy or {}).get(variant)
        rows.append(row)
    table = pd.DataFrame(rows, columns=["variant", *axes, *_COLUMNS, "error"])
    numbers = [name for name in _COLUMNS if name not in ("stable", "busy")]
    table[numbers] = table[numbers].astype("float64")
    return table


def _columns(report: LatencyReport) -> dict[str, bool | float | None]:
    return {
        **{f"p{percent}_ms": report.percentiles[percent].value for percent in (50, 90, 99)},
        "throughput": report.throughput,
        "cpu_s": report.cpu_s_per_inference,
        "peak_rss_mb": report.peak_rss_mb,
        "stable": report.stable,
        "busy": report.machine.busy,
    }


def pareto(
    table: pd.DataFrame, minimize: Sequence[str] = ("p50_ms", "size_mb"), maximize: Sequence[str] = ("accuracy",)
) -> pd.Series:
    """Return which rows are Pareto-optimal: no other row is as good in every column and better in one.

    A row with a missing value is not compared. Equal rows are optimal together, or not.

    Parameters
    ----------
    table : DataFrame
        One row per combination.
    minimize, maximize : sequence of str, optional
        Columns in which less, or more, is better.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"p50_ms": [1, 2, 3], "size_mb": [9, 4, 5], "accuracy": [0.9, 0.9, 0.9]})
    >>> pareto(table).tolist()
    [True, True, False]
    """
    import pandas as pd

    signed = pd.concat([*(table[name] for name in minimize), *(-table[name] for name in maximize)], axis=1)
    known, values = signed.notna().all(axis=1).to_numpy(), signed.to_numpy(dtype=float)
    others = values[known]

    def dominated(row: NDArray[np.float64]) -> bool:
        return bool(((others <= row).all(axis=1) & (others < row).any(axis=1)).any())

    optimal = [bool(compared) and not dominated(row) for compared, row in zip(known, values, strict=True)]
    return pd.Series(optimal, index=table.index, dtype=bool, name="pareto")
