"""An exported model: the file, what goes in and out, and how equal it was found to be."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.edge.export.metadata import Column

__all__ = ["OnnxModel"]


@dataclass(frozen=True)
class OnnxModel:
    """An ONNX file with what is needed to use it.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        table or text.
    labels : tuple or None
        The classes in the order of the outputs, as the target has them; None for a number.
    inputs : tuple of str
        Names of its inputs.
    opset : int
        Version of the operators.
    max_length : int or None
        Tokens that the model reads of a text.
    parity : dict
        By part ("train", "held_out", of tables also "edge_cases") what ``Parity.to_dict`` says; of files that were
        written earlier rows, largest_difference and label_flips alone.
    size_bytes : int
        Of the file.
    variant : str
        fp32, or what quantisation made of it.
    columns : tuple of Column
        Of a table: its columns, and the input that takes each.
    """

    path: Path
    kind: str
    labels: tuple[Any, ...] | None
    inputs: tuple[str, ...]
    opset: int
    max_length: int | None
    parity: dict[str, dict[str, Any]]
    size_bytes: int
    variant: str = "fp32"
    columns: tuple[Column, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values; the path as its name."""
        return asdict(self) | {"path": self.path.name, "columns": [each.to_dict() for each in self.columns]}

    @classmethod
    def from_dict(cls, found: dict[str, Any], path: str | Path) -> OnnxModel:
        """Read what `to_dict` wrote, for the file at `path`."""
        parity = {
            part: {{"other_labels": "label_flips"}.get(key, key): value for key, value in figures.items()}
            for part, figures in found["parity"].items()
        }
        return cls(
            **found
            | {
                "path": Path(path),
                "labels": None if found["labels"] is None else tuple(found["labels"]),
                "inputs": tuple(found["inputs"]),
                "parity": parity,
                "columns": tuple(Column.from_dict(each) for each in found.get("columns", ())),
            }
        )
