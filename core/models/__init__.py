"""Models: a registry with versions and aliases, new rows scored, cards that say what was measured, MLflow's format.

Importing this package is cheap: what trained a model loads only when the model itself scores.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.models._card import CardTable, ModelCard, Section
    from core.models._card_build import card, card_of_run
    from core.models._compare import VersionComparison, compare
    from core.models._fields import Field
    from core.models._intake import ColumnReport
    from core.models._mlflow import save_mlflow
    from core.models._mlflow_push import push_mlflow
    from core.models._questions import Question, answer, questions
    from core.models._registry import (
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
    from core.models._score import RowScorer, ScoredRows, exported_model, form_fields, score, score_rows

_REGISTRY = (
    "aliases",
    "archive",
    "find",
    "get",
    "history",
    "promote",
    "register",
    "remove_alias",
    "resolve",
    "restore",
    "roll_back",
    "set_alias",
    "set_notes",
    "versions",
)
_HOMES = dict.fromkeys(_REGISTRY, "_registry") | {
    "CardTable": "_card",
    "ColumnReport": "_intake",
    "Field": "_fields",
    "ModelCard": "_card",
    "Question": "_questions",
    "RowScorer": "_score",
    "Section": "_card",
    "VersionComparison": "_compare",
    "answer": "_questions",
    "card": "_card_build",
    "card_of_run": "_card_build",
    "compare": "_compare",
    "push_mlflow": "_mlflow_push",
    "questions": "_questions",
    "save_mlflow": "_mlflow",
    "ScoredRows": "_score",
    "exported_model": "_score",
    "form_fields": "_score",
    "score": "_score",
    "score_rows": "_score",
}

__all__ = [
    "CardTable",
    "ColumnReport",
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


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
