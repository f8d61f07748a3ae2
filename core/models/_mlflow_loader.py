"""What MLflow calls to load a model that `save_mlflow` wrote; it travels with the model, and needs no catalog."""

from __future__ import annotations

from pathlib import Path

from core.models._predictors import load_table, load_text
from core.models.served_model import ServedModel, ServedModelFile

__all__ = ["ServedModel", "ServedModelFile"]


def _load_pyfunc(path: str) -> ServedModel:
    folder = Path(path)
    file = ServedModelFile.read(folder / "model.json")
    if file.kind == "table":
        return ServedModel(load_table(folder / "model.skops"), file.pipeline())
    assert file.max_length is not None
    assert file.batch_size is not None
    predictor = load_text(folder / "model", file.labels, max_length=file.max_length, batch_size=file.batch_size)
    return ServedModel(predictor, file.pipeline())
