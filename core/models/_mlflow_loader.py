"""What MLflow calls to load a model that `save_mlflow` wrote; it travels with the model, and needs no catalog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue, TypeAdapter

from core.datasets import Replay
from core.models._fields import Field
from core.models._intake import read_rows
from core.models._predictors import Predictor, load_table, load_text, prediction_table
from core.models.written_cells import WrittenFormat, read_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ServedModel", "ServedModelFile"]


@dataclass(frozen=True)
class ServedModelFile:
    """What ``model.json`` holds.

    Parameters
    ----------
    kind : str
        "table" or "text".
    fields : list of Field
        The columns that the model reads.
    labels : list of str or None
        The classes; None for a number.
    max_length, batch_size : int or None
        Number of tokens that are read of a text, and of texts that are predicted at once.
    steps : dict, default={}
        Row-wise steps between the file and the training table, as `core.datasets.Replay` stores them.
    formats : dict of str to dict, default={}
        Format in which the training file had the cells of each column, by `core.datasets.cell_format`.
    """

    kind: str
    fields: list[Field]
    labels: list[str] | None
    max_length: int | None = None
    batch_size: int | None = None
    steps: dict[str, JsonValue] = field(default_factory=dict)
    formats: dict[str, dict[str, JsonValue]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> ServedModelFile:
        """Read the file."""
        return _adapter().validate_json(path.read_bytes())

    def write(self, path: Path) -> None:
        """Write the file."""
        path.write_bytes(_adapter().dump_json(self))


@cache
def _adapter() -> TypeAdapter[ServedModelFile]:
    return TypeAdapter(ServedModelFile)


class ServedModel:
    """Predicts as `core.models.score` does without a policy.

    Parameters
    ----------
    predictor : Predictor
        The model.
    fields : list of Field
        The columns that it reads.
    replay : Replay, optional
        Row-wise steps that the rows go through first.
    formats : mapping of str to dict, optional
        Format in which the training file had the cells, by column: cells that are still text are read so.
    """

    def __init__(
        self,
        predictor: Predictor,
        fields: list[Field],
        replay: Replay | None = None,
        formats: Mapping[str, WrittenFormat] | None = None,
    ) -> None:
        self._predictor = predictor
        self._fields = fields
        self._replay = replay
        self._formats = formats or {}

    def predict(self, frame: pd.DataFrame, params: dict[str, object] | None = None) -> pd.DataFrame:
        """Return the prediction and one probability per class, for each row."""
        read = read_frame(frame, self._formats)
        prepared = read if self._replay is None else self._replay.apply(read).frame
        rows, _ = read_rows(prepared, self._fields)
        return prediction_table(self._predictor.outputs(rows), self._predictor.labels, frame.index)


def _load_pyfunc(path: str) -> ServedModel:
    folder = Path(path)
    file = ServedModelFile.read(folder / "model.json")
    replay = Replay.from_dict(file.steps) if file.steps else None
    if file.kind == "table":
        return ServedModel(load_table(folder / "model.skops"), file.fields, replay, file.formats)
    assert file.max_length is not None
    assert file.batch_size is not None
    predictor = load_text(folder / "model", file.labels, max_length=file.max_length, batch_size=file.batch_size)
    return ServedModel(predictor, file.fields, replay, file.formats)
