"""Many measurements side by side, and which of them nothing beats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.edge.latency._measure import measure_latency
from core.edge.latency._report import LatencyReport
from core.edge.latency._settings import LatencySettings, Limits
from core.errors import PlumblineError, SettingsError, StoppedError
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["pareto", "sweep"]

_FIGURES = (
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
    axes: Mapping[str, Sequence[Any]] | None = None,
    *,
    inputs: Any = None,
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
        What the axes do not change.
    axes : mapping of str to sequence
        Values by the name of a setting, such as intra_op_threads, batch_size, graph_optimization, sequence_length.
    inputs : optional
        As of `measure_latency`, the same for all.
    accuracy : mapping of str to float, optional
        By variant.
    report, should_stop, limits
        As of `measure_latency`.

    Returns
    -------
    DataFrame
        One row a combination: variant, the axes, p50_ms, p90_ms, p99_ms (NaN with too few samples), throughput (rows
        a second), cpu_s (a row), peak_rss_mb, size_mb, accuracy, stable, busy, and error: why it failed, empty when it
        did not. The others go on.

    Raises
    ------
    SettingsError
        When an axis is no setting, or there is nothing to measure.
    StoppedError
        When it was stopped.
    """
    import pandas as pd

    base, axes, tell = settings or LatencySettings(), dict(axes or {}), report or silent
    unknown = [name for name in axes if name not in LatencySettings.model_fields]
    if unknown:
        raise SettingsError(f"'{unknown[0]}' is no setting.", f"Axes: {', '.join(LatencySettings.model_fields)}.")
    grid = list(product(variants, *axes.values()))
    if not grid:
        raise SettingsError("There is nothing to measure.", "Give a variant, and a value for each axis.")
    rows = []
    for number, (variant, *values) in enumerate(grid):
        chosen = dict(zip(axes, values, strict=True))
        words = ", ".join([str(variant), *(f"{name} {value}" for name, value in chosen.items())])

        def forward(event: Event, number: int = number, words: str = words) -> None:
            fraction = (number + (event.fraction or 0.0)) / len(grid)
            tell(Event("sweep", fraction, f"{number + 1} of {len(grid)}: {words}", {"number": number}))

        row: dict[str, Any] = {"variant": variant, **chosen}
        path = Path(variants[variant])
        try:
            found = measure_latency(
                path,
                LatencySettings(**base.model_dump() | chosen),
                inputs=inputs,
                report=forward,
                should_stop=should_stop,
                limits=limits,
            )
        except StoppedError:
            raise
        except PlumblineError as error:
            row |= dict.fromkeys(_FIGURES) | {"error": str(error)}
        else:
            row |= _row(found) | {"error": ""}
        row["size_mb"] = path.stat().st_size / 1e6 if path.is_file() else None
        row["accuracy"] = (accuracy or {}).get(variant)
        rows.append(row)
    table = pd.DataFrame(rows, columns=["variant", *axes, *_FIGURES, "error"])
    numbers = [name for name in _FIGURES if name not in ("stable", "busy")]
    table[numbers] = table[numbers].astype("float64")
    return table


def _row(found: LatencyReport) -> dict[str, Any]:
    return {
        **{f"p{percent}_ms": found.percentiles[percent].value for percent in (50, 90, 99)},
        "throughput": found.throughput,
        "cpu_s": found.cpu_s_per_inference,
        "peak_rss_mb": found.peak_rss_mb,
        "stable": found.stable,
        "busy": found.machine.busy,
    }


def pareto(
    table: pd.DataFrame, minimise: Sequence[str] = ("p50_ms", "size_mb"), maximise: Sequence[str] = ("accuracy",)
) -> pd.Series:
    """Tell which rows no other row beats: none is as good in every column and better in one.

    A row with a missing value is not compared. Rows that are equal stand or fall together.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"p50_ms": [1, 2, 3], "size_mb": [9, 4, 5], "accuracy": [0.9, 0.9, 0.9]})
    >>> pareto(table).tolist()
    [True, True, False]
    """
    import pandas as pd

    signed = pd.concat([*(table[name] for name in minimise), *(-table[name] for name in maximise)], axis=1)
    known, values = signed.notna().all(axis=1).to_numpy(), signed.to_numpy(dtype=float)
    others = values[known]

    def beaten(row: NDArray[np.float64]) -> bool:
        return bool(((others <= row).all(axis=1) & (others < row).any(axis=1)).any())

    best = [bool(compared) and not beaten(row) for compared, row in zip(known, values, strict=True)]
    return pd.Series(best, index=table.index, dtype=bool, name="pareto")
