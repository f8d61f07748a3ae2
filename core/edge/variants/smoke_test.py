"""A quantised model is tried before it is kept: it loads, runs, and returns finite numbers where the model does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from core.edge.inspection.graph import graph_of
from core.edge.portable.session import open_session
from core.errors import ExportError

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["try_out"]

_FREE_SIZE = 4
_FATAL = 4  # what goes wrong is raised, and need not be logged
_TYPES = {
    "float": np.float32,
    "double": np.float64,
    "float16": np.float16,
    "int64": np.int64,
    "int32": np.int32,
    "int8": np.int8,
    "uint8": np.uint8,
    "bool": np.bool_,
    "string": np.object_,
}


def try_out(content: bytes, model: ModelProto, mode: str, feeds: dict[str, Any] | None) -> None:
    """Load and run what a quantiser made of a model.

    Parameters
    ----------
    content : bytes
        The quantised file.
    model : ModelProto
        The model it was made of.
    mode : str
        For the message.
    feeds : dict of array, optional
        Inputs to try; by default ones in the inputs' own shapes.

    Raises
    ------
    ExportError
        When it does not load, or fails or overflows on inputs that the model itself takes.
    """
    try:
        session = open_session(content, _FATAL)
    except Exception as error:  # ONNX Runtime's errors share no base class but this
        raise ExportError(_message(mode, "load", error), "Choose another mode.") from error
    feeds = _ones(model) if feeds is None else feeds
    if feeds is None:
        return
    problem: Exception | None = None
    try:
        if _finite(session.run(None, feeds)):
            return
    except Exception as error:  # noqa: BLE001 - as above
        problem = error
    try:
        expected = _finite(open_session(model.SerializeToString(), _FATAL).run(None, feeds))
    except Exception:  # noqa: BLE001 - the model itself does not take these inputs, so they show nothing
        return
    if problem is not None:
        raise ExportError(_message(mode, "run", problem), "Choose another mode.") from problem
    if expected:
        raise ExportError(
            f"The model overflows in {mode}: it returns numbers that are not finite.", "Choose another mode."
        )


def _message(mode: str, what: str, error: Exception) -> str:
    return f"The model does not {what} in {mode}: {str(error).strip()[:300]}"


def _ones(model: ModelProto) -> dict[str, Any] | None:
    """Return ones for every input, four where a size is free; None where an input is no plain tensor."""
    feeds: dict[str, Any] = {}
    for port in graph_of(model).inputs:
        if port.type not in _TYPES or port.shape is None:
            return None
        shape = [size if isinstance(size, int) else _FREE_SIZE for size in port.shape]
        feeds[port.name] = np.full(shape, "" if port.type == "string" else 1, dtype=_TYPES[port.type])
    return feeds


def _finite(outputs: list[Any]) -> bool:
    return all(np.isfinite(each).all() for each in outputs if getattr(each, "dtype", np.dtype("O")).kind == "f")
