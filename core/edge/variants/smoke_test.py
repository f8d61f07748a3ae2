"""A quantized model is run before it is kept: it loads, and returns finite numbers where the model does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.edge.inspection.graph import graph_of
from core.edge.portable.session import open_session
from core.edge.variants.modes import Feeds
from core.errors import ExportError

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["run_once"]

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


def run_once(content: bytes, model: ModelProto, mode: str, feeds: Feeds | None) -> None:
    """Load and run a quantized model.

    Parameters
    ----------
    content : bytes
        The quantized file.
    model : ModelProto
        The model it was made from.
    mode : str
        Name of the mode, for the message.
    feeds : dict of array or None
        Inputs to run it on; None makes some in the inputs' own shapes.

    Raises
    ------
    ExportError
        When it does not load, or fails or overflows on inputs that the model itself takes.
    """
    try:
        session = open_session(content, _FATAL)
    except Exception as error:  # ONNX Runtime's errors share no base class but this
        raise ExportError(_message(mode, "load", error), "Choose another mode.") from error
    inputs = _ones(model) if feeds is None else dict(feeds)
    if inputs is None:
        return
    problem: Exception | None = None
    try:
        if _all_finite(session.run(None, inputs)):
            return
    except Exception as error:  # noqa: BLE001  (see above)
        problem = error
    try:
        expected = _all_finite(open_session(model.SerializeToString(), _FATAL).run(None, inputs))
    except Exception:  # noqa: BLE001  (the model itself does not take these inputs, so they show nothing)
        return
    if problem is not None:
        raise ExportError(_message(mode, "run", problem), "Choose another mode.") from problem
    if expected:
        raise ExportError(
            f"The model overflows in {mode}: it returns numbers that are not finite.", "Choose another mode."
        )


def _message(mode: str, verb: str, error: Exception) -> str:
    return f"The model does not {verb} in {mode}: {str(error).strip()[:300]}"


def _ones(model: ModelProto) -> dict[str, NDArray[Any]] | None:
    """Return ones for every input, four where a size is free; None where an input is not a plain tensor."""
    feeds: dict[str, NDArray[Any]] = {}
    for port in graph_of(model).inputs:
        if port.type not in _TYPES or port.shape is None:
            return None
        shape = [size if isinstance(size, int) else _FREE_SIZE for size in port.shape]
        feeds[port.name] = np.full(shape, "" if port.type == "string" else 1, dtype=_TYPES[port.type])
    return feeds


def _all_finite(outputs: Sequence[object]) -> bool:
    """Say whether all outputs that are arrays of floats are finite."""
    arrays = [output for output in outputs if isinstance(output, np.ndarray) and output.dtype.kind == "f"]
    return all(np.isfinite(array).all() for array in arrays)
