"""An exported model: the file, what goes in and out, and how equal it was found to be."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["OnnxModel"]


@dataclass(frozen=True)
class OnnxModel:
    """An ONNX file with what is needed to use it.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        text, for now.
    labels : tuple of str or None
        The classes in the order of the outputs; None for a number.
    inputs : tuple of str
        Names of its inputs.
    opset : int
        Version of the operators.
    max_length : int
        Tokens that the model reads of a text.
    parity : dict
        By part ("train", "held_out"): rows, the largest difference of an output, and labels that differ.
    size_bytes : int
        Of the file.
    """

    path: Path
    kind: str
    labels: tuple[str, ...] | None
    inputs: tuple[str, ...]
    opset: int
    max_length: int
    parity: dict[str, dict[str, float]]
    size_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values; the path as its name."""
        return asdict(self) | {"path": self.path.name}

    @classmethod
    def from_dict(cls, found: dict[str, Any], path: str | Path) -> OnnxModel:
        """Read what `to_dict` wrote, for the file at `path`."""
        labels = None if found["labels"] is None else tuple(found["labels"])
        return cls(**found | {"path": Path(path), "labels": labels, "inputs": tuple(found["inputs"])})
