"""One operation of the measuring process on a model's file and its inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from core.edge.latency.inputs import ModelInputs, write_inputs
from core.edge.latency.messages import Job
from core.edge.latency.process import run_in_child
from core.edge.latency.settings import LatencySettings, Limits
from core.errors import InputError
from core.progress import Report

__all__ = ["run_on_file"]

T = TypeVar("T")


def run_on_file(
    operation: str,
    file: Path,
    folder: Path,
    settings: LatencySettings,
    inputs: ModelInputs,
    result_type: type[T],
    *,
    duration_s: float,
    preprocessing: bool = False,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
    limits: Limits | None = None,
) -> tuple[T, list[int]]:
    """Run an operation of the measuring process; return its result, and the cores it was pinned to.

    Parameters
    ----------
    operation : str
        A name of ``measuring.operations.OPERATIONS`` that takes a model's file.
    file : Path
        The model.
    folder : Path
        Folder for the inputs, and for what the process leaves.
    settings, inputs, report, should_stop, limits : optional
        See `measure_latency`.
    result_type : type
        Type of the operation's result.
    duration_s : float
        Seconds that all timed parts together should take.
    preprocessing : bool, default=False
        Whether requests are raw rows or texts.

    Raises
    ------
    InputError, LimitError, StoppedError
        See `measure_latency`.
    """
    if not file.is_file():
        raise InputError(f"There is no file '{file.name}'.", "Give the path of an ONNX file.")
    written = write_inputs(inputs, file, folder, batch_size=settings.batch_size, preprocessing=preprocessing)
    return run_in_child(
        Job(operation, settings, str(file.resolve()), written, preprocessing),
        folder,
        result_type,
        duration_s=duration_s,
        limits=limits or Limits(),
        report=report,
        should_stop=should_stop,
    )
