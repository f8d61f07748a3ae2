"""What the measuring process can do: one record per operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from core.edge.latency.messages import Emit, Job
from core.registry import Registry

__all__ = ["OPERATIONS", "Operation", "Work"]

Work = Callable[[Job, Path, Emit], object]
"""Takes the job, its folder and a function that announces steps; returns a result that JSON can hold."""


@dataclass(frozen=True)
class Operation:
    """One operation.

    Parameters
    ----------
    name : str
        Name of the operation in a job.
    module : str
        The module whose function ``work`` does it; only the measuring process imports it.
    help : str
        Its purpose.
    """

    name: str
    module: str
    help: str

    def load(self) -> Work:
        """Import the module and return its function ``work``."""
        work: Work = import_module(self.module).work
        return work


_HERE = __name__.rpartition(".")[0]

OPERATIONS = Registry(
    "operation",
    [
        Operation("onnx", f"{_HERE}.operation_onnx", "Measure an ONNX file."),
        Operation("native", f"{_HERE}.operation_native", "Measure a model with the libraries that trained it."),
        Operation("profile", f"{_HERE}.operation_profile", "Profile the operators of an ONNX file."),
        Operation("work", f"{_HERE}.operation_work", "Count the work of a typical request."),
        Operation("roof", f"{_HERE}.operation_roofline", "Measure the limits of the machine."),
    ],
)
"""All operations by name."""
