from ._base import BaseModel, base_models
from ._baselines import BASELINES, Baseline
from ._build import load_text_model
from ._encode import encode_texts, quiet_transformers, text_model_outputs
from ._estimate import TrainingEstimate, estimate_training
from ._finetune import fine_tune
from ._result import FineTuneResult
from ._script import standalone_script
from ._settings import FineTuneSettings
from ._summary import FineTuneSummary, HistoryLine

__all__ = [
    "BASELINES",
    "BaseModel",
    "Baseline",
    "FineTuneResult",
    "FineTuneSettings",
    "FineTuneSummary",
    "HistoryLine",
    "TrainingEstimate",
    "base_models",
    "encode_texts",
    "estimate_training",
    "fine_tune",
    "load_text_model",
    "quiet_transformers",
    "standalone_script",
    "text_model_outputs",
]
