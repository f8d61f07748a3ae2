"""`describe_run`: a graph with the work of a typical request, counted where the model is measured."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from core.edge.inspection.graph import Graph
from core.edge.latency.inputs import ModelInputs
from core.edge.latency.run_operation import run_on_file
from core.edge.latency.settings import LatencySettings, Limits

__all__ = ["describe_run"]


def describe_run(
    path: str | Path,
    settings: LatencySettings,
    inputs: ModelInputs = None,
    *,
    should_stop: Callable[[], bool] | None = None,
    limits: Limits | None = None,
) -> Graph:
    """Describe a graph, with the work of the request of median size among those that `measure_latency` would make.

    `describe_graph` runs the model in the caller's process; this function runs it in a process with limits.

    Parameters
    ----------
    path, settings, inputs, should_stop, limits : optional
        See `measure_latency`.

    Raises
    ------
    InputError, LimitError, StoppedError
        See `measure_latency`.
    """
    with tempfile.TemporaryDirectory(prefix="plumbline-work-") as folder:
        graph, _ = run_on_file(
            "work",
            Path(path),
            Path(folder),
            settings,
            inputs,
            Graph,
            duration_s=settings.duration_s,
            limits=limits,
            should_stop=should_stop,
        )
    return graph
