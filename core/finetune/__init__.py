"""Fine-tuning: settings, base models, a training that can be stopped and gone on with, and a result with its evidence.

Importing this package is cheap: torch, transformers and scikit-learn load when a training needs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.finetune._settings import FineTuneSettings

if TYPE_CHECKING:
    from core.finetune._base import BaseModel, base_models
    from core.finetune._estimate import TrainingEstimate, estimate_training
    from core.finetune._finetune import fine_tune
    from core.finetune._result import FineTuneResult
    from core.finetune._script import standalone_script

__all__ = [
    "BaseModel",
    "FineTuneResult",
    "FineTuneSettings",
    "TrainingEstimate",
    "base_models",
    "estimate_training",
    "fine_tune",
    "standalone_script",
]

_HOMES = {
    "BaseModel": "_base",
    "FineTuneResult": "_result",
    "TrainingEstimate": "_estimate",
    "base_models": "_base",
    "estimate_training": "_estimate",
    "fine_tune": "_finetune",
    "standalone_script": "_script",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
