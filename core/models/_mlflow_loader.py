"""What MLflow calls to load a model that `save_mlflow` wrote; it travels with the model, and needs no catalog."""

from __future__ import annotations

from pathlib import Path

from core.models.served_model import ServedModel, ServedModelFile, load_served_model

__all__ = ["ServedModel", "ServedModelFile"]


def _load_pyfunc(path: str) -> ServedModel:
    return load_served_model(Path(path))
