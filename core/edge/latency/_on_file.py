"""One operation of the measuring process on a model's file and its inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.edge.latency._inputs import write_inputs
from core.edge.latency._process import in_child
from core.edge.latency._settings import LatencySettings, Limits
from core.errors import InputError
from core.progress import Report

__all__ = ["run_on_file"]


def run_on_file(
    operation: str,
    file: Path,
    folder: Path,
    settings: LatencySettings,
    inputs: Any,
    *,
    duration_s: float,
    preprocessing: bool = False,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
    limits: Limits | None = None,
) -> tuple[dict[str, Any], list[int]]:
    """Do an operation of the measuring process; return its result, and the cores it was kept on.

    Parameters
    ----------
    operation : str
        A key of ``child.OPERATIONS`` that takes a model's file.
    file : Path
        The model.
    folder : Path
        For the inputs, and what the process leaves.
    settings, inputs, report, should_stop, limits
        As of `measure_latency`.
    duration_s : float
        Seconds that all timed parts together should take.
    preprocessing : bool
        Whether requests are raw rows or texts.

    Raises
    ------
    InputError, LimitError, StoppedError
        As of `measure_latency`.
    """
    if not file.is_file():
        raise InputError(f"There is no file '{file.name}'.", "Give the path of an ONNX file.")
    job = {
        "operation": operation,
        "path": str(file.resolve()),
        "settings": settings.model_dump(mode="json"),
        "inputs": write_inputs(inputs, file, folder, batch_size=settings.batch_size, preprocessing=preprocessing),
        "preprocessing": preprocessing,
    }
    return in_child(
        job,
        folder,
        threads=settings.threads,
        duration_s=duration_s,
        limits=limits or Limits(),
        report=report,
        should_stop=should_stop,
    )
