"""What MLflow calls to load a model that `save_mlflow` wrote; it travels with the model, and needs no catalog."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.models._fields import Field
from core.models._intake import take_in
from core.models._predictors import Predictor, load_table, load_text, table_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ServedModel"]


class ServedModel:
    """Predicts as `core.models.score` does without a policy.

    Parameters
    ----------
    predictor : Predictor
        The model.
    fields : list of Field
        Its columns.
    """

    def __init__(self, predictor: Predictor, fields: list[Field]) -> None:
        self._predictor = predictor
        self._fields = fields

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return prediction and a probability a class, a row a row."""
        rows, _ = take_in(frame, self._fields)
        return table_of(self._predictor.outputs(rows), self._predictor.labels, frame.index)


def _load_pyfunc(path: str) -> ServedModel:
    folder = Path(path)
    found = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    fields = [Field.from_dict(each) for each in found["fields"]]
    if found["kind"] == "table":
        return ServedModel(load_table(folder / "model.skops"), fields)
    predictor = load_text(
        folder / "model", found["labels"], max_length=found["max_length"], batch_size=found["batch_size"]
    )
    return ServedModel(predictor, fields)
