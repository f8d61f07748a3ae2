"""An exported model: the file, its inputs and outputs, and its parity with the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.edge.export.metadata import Column, Label
from core.edge.export.parity import ParityRecord

__all__ = ["OnnxModel"]


@dataclass(frozen=True)
class OnnxModel:
    """An ONNX file with everything that is needed to use it.

    Parameters
    ----------
    path : Path
        The file.
    kind : {"table", "text"}
        Kind of the model.
    labels : tuple or None
        The classes in the order of the outputs, as the target has them; None for a number.
    inputs : tuple of str
        Names of its inputs.
    opset : int
        Version of the operators.
    max_length : int or None
        Tokens per text that the model reads.
    parity : dict
        Result of ``Parity.to_dict`` by part ("train", "held_out", for tables also "edge_cases"; "bundle_rows" where a
        bundle can be written); files of earlier versions have only rows, largest_difference and label_flips.
    size_bytes : int
        Size of the file.
    variant : str, default="fp32"
        "fp32", or the quantization mode.
    columns : tuple of Column, default=()
        Columns of a table, and the input that takes each.
    original : callable, optional
        Takes rows or texts, and returns the outputs of the model that the file was made from: probabilities, shape
        (n, classes), or numbers, shape (n, 1). Known where the model was exported; it is not stored.
    """

    path: Path
    kind: str
    labels: tuple[Label, ...] | None
    inputs: tuple[str, ...]
    opset: int
    max_length: int | None
    parity: dict[str, ParityRecord]
    size_bytes: int
    variant: str = "fp32"
    columns: tuple[Column, ...] = ()
    original: Callable[[Any], NDArray[np.float64]] | None = field(default=None, repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the model as JSON-serializable values; the path as its name."""
        values = asdict(replace(self, original=None))
        del values["original"]
        return values | {"path": self.path.name, "columns": [column.to_dict() for column in self.columns]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], path: str | Path) -> OnnxModel:
        """Read what `to_dict` wrote, for the file at `path`."""
        parity = {
            part: {{"other_labels": "label_flips"}.get(key, key): value for key, value in record.items()}
            for part, record in values["parity"].items()
        }
        return cls(
            **{
                **values,
                "path": Path(path),
                "labels": None if values["labels"] is None else tuple(values["labels"]),
                "inputs": tuple(values["inputs"]),
                "parity": parity,
                "columns": tuple(Column.from_dict(record) for record in values.get("columns", ())),
            }
        )
