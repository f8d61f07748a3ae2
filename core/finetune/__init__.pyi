from .base_model import BaseModel, base_models, check_offered
from .baselines import BASELINES, Baseline
from .build import load_text_model
from .encode import encode_texts, quiet_transformers, text_model_outputs
from .estimate import TrainingEstimate, estimate_training
from .result import FineTuneResult
from .script import standalone_script
from .settings import FineTuneSettings
from .summary import FineTuneSummary, HistoryLine
from .training_run import fine_tune

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
    "check_offered",
    "encode_texts",
    "estimate_training",
    "fine_tune",
    "load_text_model",
    "quiet_transformers",
    "standalone_script",
    "text_model_outputs",
]
