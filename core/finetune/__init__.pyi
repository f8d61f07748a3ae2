from .advice import Advice, next_tries
from .architecture import last_token_head, max_tokens
from .base_model import BaseModel, base_models, check_offered, local_model
from .baselines import BASELINES, Baseline
from .encode import encode_texts, quiet_transformers, text_model_outputs
from .estimate import TrainingEstimate, estimate_training
from .families import FAMILIES, OPERATIONS, Family, families_table, family_note
from .loading import load_text_model
from .preflight import reads_padding
from .result import FineTuneResult
from .script import standalone_script
from .settings import FineTuneSettings
from .summary import FineTuneSummary, HistoryLine
from .training_run import fine_tune

__all__ = [
    "BASELINES",
    "FAMILIES",
    "OPERATIONS",
    "Advice",
    "BaseModel",
    "Baseline",
    "Family",
    "FineTuneResult",
    "FineTuneSettings",
    "FineTuneSummary",
    "HistoryLine",
    "TrainingEstimate",
    "base_models",
    "check_offered",
    "encode_texts",
    "estimate_training",
    "families_table",
    "family_note",
    "fine_tune",
    "last_token_head",
    "load_text_model",
    "local_model",
    "max_tokens",
    "next_tries",
    "quiet_transformers",
    "reads_padding",
    "standalone_script",
    "text_model_outputs",
]
