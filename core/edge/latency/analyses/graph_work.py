"""`describe_run`: a graph with the work of a typical request, counted where the model is measured."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.edge.inspection.graph import Graph
from core.edge.latency._on_file import run_on_file
from core.edge.latency._settings import LatencySettings, Limits

__all__ = ["describe_run"]


def describe_run(
    path: str | Path,
    settings: LatencySettings,
    inputs: Any = None,
    *,
    should_stop: Callable[[], bool] | None = None,
    limits: Limits | None = None,
) -> Graph:
    """Describe a graph, with the work of the request of median size among those that `measure_latency` would make.

    `describe_graph` runs the model in the caller's process; this one in a process with limits.

    Parameters
    ----------
    path, settings, inputs, should_stop, limits
        As of `measure_latency`.

    Raises
    ------
    InputError, LimitError, StoppedError
        As of `measure_latency`.
    """
    with tempfile.TemporaryDirectory(prefix="plumbline-work-") as folder:
        found, _ = run_on_file(
            "work",
            Path(path),
            Path(folder),
            settings,
            inputs,
            duration_s=settings.duration_s,
            limits=limits,
            should_stop=should_stop,
        )
    return Graph.from_dict(found)
