from ._card import CardTable, ModelCard, Section
from ._card_build import card, card_of_run
from ._card_figures import BASELINE_TITLES
from ._card_text import format_value
from ._code import code_version
from ._compare import VersionComparison, compare, compare_versions
from ._coverage import COVERAGE_ITEMS, CoverageItem, CoverageRow
from ._evidence import REPLAY, RunEvidence
from ._fields import Field, describe_fields
from ._history import describe_event
from ._mlflow import save_mlflow
from ._mlflow_push import mlflow_parameters, push_mlflow
from ._model_kinds import MODEL_KINDS, TABLE_TASKS, ModelKind, kind_of_task
from ._policy_applier import PolicyApplier
from ._questions import QUESTIONS, Question, answer, questions
from ._registry import (
    aliases,
    archive,
    find,
    get,
    history,
    promote,
    register,
    remove_alias,
    resolve,
    restore,
    roll_back,
    set_alias,
    set_notes,
    versions,
)
from ._run_result import RunResult, StoredEstimate, Winner
from ._score import exported_model, form_fields, score, score_rows
from .column_report import COLUMN_COUNTS, ColumnCount, ColumnReport, lost_cells
from .file_evaluation import FileEvaluation
from .mlflow_folder import MLFLOW_SOURCES, MlflowFolder
from .row_scorer import RowScorer
from .scoring_report import ScoredRows, ScoringReport
from .search_download import DownloadedModel
from .served_model import ServedModel, ServedModelFile, load_served_model
from .training_overlap import TrainingOverlap

__all__ = [
    "BASELINE_TITLES",
    "COLUMN_COUNTS",
    "COVERAGE_ITEMS",
    "MLFLOW_SOURCES",
    "MODEL_KINDS",
    "QUESTIONS",
    "REPLAY",
    "TABLE_TASKS",
    "CardTable",
    "ColumnCount",
    "ColumnReport",
    "CoverageItem",
    "CoverageRow",
    "DownloadedModel",
    "Field",
    "FileEvaluation",
    "MlflowFolder",
    "ModelCard",
    "ModelKind",
    "PolicyApplier",
    "Question",
    "RowScorer",
    "RunEvidence",
    "RunResult",
    "ScoredRows",
    "ScoringReport",
    "Section",
    "ServedModel",
    "ServedModelFile",
    "StoredEstimate",
    "TrainingOverlap",
    "VersionComparison",
    "Winner",
    "aliases",
    "answer",
    "archive",
    "card",
    "card_of_run",
    "code_version",
    "compare",
    "compare_versions",
    "describe_event",
    "describe_fields",
    "exported_model",
    "find",
    "form_fields",
    "format_value",
    "get",
    "history",
    "kind_of_task",
    "load_served_model",
    "lost_cells",
    "mlflow_parameters",
    "promote",
    "push_mlflow",
    "questions",
    "register",
    "remove_alias",
    "resolve",
    "restore",
    "roll_back",
    "save_mlflow",
    "score",
    "score_rows",
    "set_alias",
    "set_notes",
    "versions",
]
