from ._card import CardTable, ModelCard, Section
from ._card_build import card, card_of_run
from ._card_text import format_value
from ._compare import VersionComparison, compare
from ._coverage import CoverageRow
from ._fields import Field
from ._intake import ColumnReport
from ._mlflow import save_mlflow
from ._mlflow_push import push_mlflow
from ._questions import Question, answer, questions
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
from ._score import RowScorer, ScoredRows, exported_model, form_fields, score, score_rows

__all__ = [
    "CardTable",
    "ColumnReport",
    "CoverageRow",
    "Field",
    "ModelCard",
    "Question",
    "RowScorer",
    "ScoredRows",
    "Section",
    "VersionComparison",
    "aliases",
    "answer",
    "archive",
    "card",
    "card_of_run",
    "compare",
    "exported_model",
    "find",
    "form_fields",
    "format_value",
    "get",
    "history",
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
