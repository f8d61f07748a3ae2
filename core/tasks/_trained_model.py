"""A model that a run made, with the rows that it was trained on and those that were held out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.access import Access
from core.catalog import Run, artifacts, datasets
from core.edge import SECOND_TEXT, TEXT, text_rows
from core.errors import InputError, NotFoundError
from core.finetune import FineTuneSettings, label_matrix, usable_texts
from core.label_cells import MULTILABEL
from core.models import TABLE_TASKS
from core.storage import get_store

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from core.fairness import ThresholdPolicy
    from core.finetune import Text

__all__ = ["KEPT_ROWS", "TrainedModel", "load_trained"]

KEPT_ROWS = 5_000
"""Rows of a model without held-out rows that are kept to try it on."""


@dataclass(frozen=True)
class TrainedModel:
    """A model with the rows to compare on.

    Parameters
    ----------
    source : Pipeline or Path
        The model of a table, or the folder of a text model.
    task : {"binary", "multiclass", "regression", "multilabel"}
        Task of the model.
    train, held_out : DataFrame or list of str or of (str, str)
        Rows that it was trained on, and held-out rows.
    y : array of shape (n,) or (n, labels)
        True values of the held-out rows: class codes, numbers, or whether a row has each label.
    rows : DataFrame
        Rows to try the model on.
    max_length : int, optional
        Tokens per text that the model reads.
    tokenizer : Path, optional
        The ``tokenizer.json`` of a text model.
    """

    source: Pipeline | Path
    task: str
    train: pd.DataFrame | list[Text]
    held_out: pd.DataFrame | list[Text]
    y: NDArray[Any]
    rows: pd.DataFrame
    max_length: int | None = None
    tokenizer: Path | None = None


def load_trained(source: Run, folder: Path, policy: ThresholdPolicy | None = None, *, access: Access) -> TrainedModel:
    """Load the model of a search or a training, and its rows.

    Parameters
    ----------
    source : Run
        The run that made the model.
    folder : Path
        Empty folder, into which the run's files are linked.
    policy : ThresholdPolicy, optional
        Policy whose columns the rows need as well.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When the table that it was trained on was deleted.
    """
    _link_files(source, folder, access=access)
    load = _table if source.task in TABLE_TASKS else _texts
    return load(source, folder, policy, access=access)


def _link_files(source: Run, folder: Path, *, access: Access) -> None:
    """Link the run's files into a folder: the model may be large."""
    store = get_store()
    for artifact in artifacts.find(source.id, access=access):
        path = folder / artifact.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(store.local_path(artifact.digest).resolve())


def _frame(source: Run, columns: Sequence[str], *, access: Access) -> pd.DataFrame:
    from core.datasets import load_frame

    assert source.dataset_id is not None
    try:
        dataset = datasets.get(source.dataset_id, access=access)
    except NotFoundError as error:
        raise InputError(
            "The table that this model was trained on was deleted, so nothing can be compared.",
            "Upload it again and repeat the run.",
        ) from error
    return load_frame(get_store().local_path(dataset.data_digest), list(dict.fromkeys(columns)))


def _policy_columns(policy: ThresholdPolicy | None) -> list[str]:
    from core.edge.portable.rules import Rules

    return [] if policy is None else list(Rules(policy.to_dict()).columns)


def _table(source: Run, folder: Path, policy: ThresholdPolicy | None, *, access: Access) -> TrainedModel:
    import pandas as pd

    from core.automl import load_model

    model = load_model(folder / "model.skops")
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    frame = _frame(source, [*result["features"], *_policy_columns(policy)], access=access)
    test = pd.read_parquet(folder / "test.parquet")
    trained_on = pd.read_parquet(folder / "oof.parquet", columns=["row_id"])["row_id"]
    held_out = frame.iloc[test["row_id"]]
    truth = test[result["settings"]["target"]]
    labels = getattr(model, "classes_", None) if result["labels"] is not None else None
    y = truth.to_numpy(float) if labels is None else _codes(truth, labels)
    train = frame.iloc[trained_on] if len(trained_on) else held_out  # a study may have predicted none of them
    return TrainedModel(model, result["task"], train, held_out, y, held_out if len(held_out) else train)


def _codes(truth: pd.Series, labels: Sequence[object]) -> NDArray[np.intp]:
    """Return the index of each row's class among the labels."""
    import numpy as np

    codes = {str(label): code for code, label in enumerate(labels)}
    return np.asarray(truth.astype(str).map(codes), dtype=np.int64)


def _texts(source: Run, folder: Path, policy: ThresholdPolicy | None, *, access: Access) -> TrainedModel:
    import pandas as pd

    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    settings = FineTuneSettings.model_validate(result["settings"])
    frame = _frame(source, [*settings.text_columns, *_policy_columns(policy)], access=access)
    test = pd.read_parquet(folder / "test.parquet")
    validation = pd.read_parquet(folder / "validation.parquet", columns=["row_id"])
    held = set(test["row_id"]) | set(validation["row_id"])
    all_texts = usable_texts(frame, settings)
    train = [text for row, text in all_texts.items() if row not in held]
    truth = test[settings.label_column]
    y: NDArray[Any]
    if result["labels"] is None:
        y = truth.to_numpy(float)
    elif result["task"] == MULTILABEL:
        y = label_matrix(result["labels"], truth)
    else:
        y = _codes(truth, result["labels"])
    rows = frame.iloc[test["row_id"] if len(test) else list(all_texts)[:KEPT_ROWS]]
    rows = rows.rename(columns=dict(zip(settings.text_columns, (TEXT, SECOND_TEXT), strict=False)))
    texts = text_rows(rows) if len(test) else []
    tokenizer = folder / "model" / "tokenizer.json"
    return TrainedModel(folder / "model", result["task"], train, texts, y, rows, settings.max_length, tokenizer)
