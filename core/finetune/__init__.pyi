from .advice import Advice, next_tries
from .architecture import last_token_head, max_tokens
from .base_model import BaseModel, base_models, check_offered, local_model
from .baselines import BASELINES, Baseline
from .data import usable_texts
from .earlier import seconds_by_earlier
from .encode import Text, encode_texts, quiet_transformers, text_length, text_model_outputs
from .estimate import TrainingEstimate, estimate_training
from .families import FAMILIES, OPERATIONS, Family, families_table, family_note
from .few_shot import FEW_TEXTS
from .label_sets import (
    LISTS,
    SEPARATORS,
    known_label_sets,
    label_matrix,
    label_texts,
    likely_separator,
    read_cells,
    read_columns,
)
from .loading import load_text_model
from .preflight import reads_padding
from .result import FineTuneResult
from .script import standalone_script
from .settings import FineTuneSettings
from .shared_adapters import SharedAdapters, conclude_shared
from .summary import FineTuneSummary, HistoryLine
from .targets import TARGET_KINDS, TargetKind, kind_of_config, kind_of_task
from .training_run import fine_tune

__all__ = [
    "BASELINES",
    "FAMILIES",
    "FEW_TEXTS",
    "LISTS",
    "OPERATIONS",
    "SEPARATORS",
    "TARGET_KINDS",
    "Advice",
    "BaseModel",
    "Baseline",
    "Family",
    "FineTuneResult",
    "FineTuneSettings",
    "FineTuneSummary",
    "HistoryLine",
    "SharedAdapters",
    "TargetKind",
    "Text",
    "TrainingEstimate",
    "base_models",
    "check_offered",
    "conclude_shared",
    "encode_texts",
    "estimate_training",
    "families_table",
    "family_note",
    "fine_tune",
    "kind_of_config",
    "kind_of_task",
    "known_label_sets",
    "label_matrix",
    "label_texts",
    "last_token_head",
    "likely_separator",
    "load_text_model",
    "local_model",
    "max_tokens",
    "next_tries",
    "quiet_transformers",
    "read_cells",
    "read_columns",
    "reads_padding",
    "seconds_by_earlier",
    "standalone_script",
    "text_length",
    "text_model_outputs",
    "usable_texts",
]
