"""Opens a model's file for scoring."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.edge.portable.session import open_session
from core.errors import InputError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["load_session"]


def load_session(model: str | Path) -> InferenceSession:
    """Open a session of ONNX Runtime on a file.

    Raises
    ------
    InputError
        When there is no such file, or it cannot be loaded.
    """
    path = Path(model)
    if not path.is_file():
        raise InputError(f"There is no file '{path.name}'.", "Give the path of an ONNX file.")
    try:
        return open_session(path)
    except Exception as error:  # ONNX Runtime's errors share no base class but this
        raise InputError(
            f"'{path.name}' cannot be loaded: {str(error).strip()[:300]}.", "Export the model again."
        ) from error
