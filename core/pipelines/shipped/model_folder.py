"""The folder of a model that a component trained.

It has MLflow's format, with all of the result in ``data``, so that `AutoMLResult.load` reads that folder. The rows that
the model learned from are in ``training``: a registration describes the columns by them, and an evaluation counts the
rows that it has seen.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from core.errors import InputError
from core.files import write_text
from core.jsonable import jsonable
from core.pipelines.data_description import DataDescription
from core.pipelines.shipped.command import log
from core.pipelines.tables import DESCRIPTION, DataTable, TargetChoice, read_data, write_data

if TYPE_CHECKING:
    from core.grammar import Reading

__all__ = ["DATA", "TRAINING", "ModelFacts", "ModelFolder", "write_model_folder"]

DATA = "data"
"""Folder with the result, and what else loading needs."""
TRAINING = "training"
"""Folder with the rows that the model learned from."""
_READING, _RECIPE = "reading.json", "recipe.json"


@dataclass(frozen=True)
class ModelFolder:
    """The folder of a model that a component trained.

    Parameters
    ----------
    path : Path
        The folder.

    Raises
    ------
    InputError
        When it holds no such model.
    """

    path: Path

    def __post_init__(self) -> None:
        if not (self.data / "result.json").is_file():
            raise InputError(
                f"'{self.path.name}' holds no model of train_xgboost, train_automl or fine_tune_text.",
                "Give the output 'model' of one of these components.",
            )

    @property
    def data(self) -> Path:
        """Folder of the result."""
        return self.path / DATA

    @property
    def reads_text(self) -> bool:
        """Whether the model reads a column of text."""
        return not (self.data / "model.skops").is_file()

    @property
    def training(self) -> Path:
        """Folder with the rows that it learned from."""
        return self.path / TRAINING

    def training_table(self) -> DataTable:
        """Return the rows that the model learned from.

        Raises
        ------
        InputError
            When they were removed.
        """
        if not self.training.is_dir():
            raise InputError(
                f"The rows that the model learned from were removed from '{self.path.name}'.",
                "Give the folder as the training component wrote it.",
            )
        return read_data(self.training)


@dataclass(frozen=True)
class ModelFacts:
    """What the folder of a model says of it.

    Parameters
    ----------
    kind : {"table", "text"}
        Key of `core.models.MODEL_KINDS`.
    features : sequence of str
        Columns that it reads.
    labels : sequence or None
        Classes; None for a number.
    packages : mapping of str to str
        Versions that it was trained with.
    component : str
        Name of the component that trained it.
    max_length, batch_size : int, optional
        Number of tokens that are read of a text, and of texts that are predicted at once.
    """

    kind: Literal["table", "text"]
    features: Sequence[str]
    labels: Sequence[Any] | None
    packages: Mapping[str, str]
    component: str
    max_length: int | None = None
    batch_size: int | None = None


def write_model_folder(folder: Path, table: DataTable, target: TargetChoice, facts: ModelFacts) -> ModelFolder:
    """Write what a model's folder has besides the result: the rows, the columns, and MLflow's files.

    Parameters
    ----------
    folder : Path
        Folder with the result in ``data``.
    table : DataTable
        Rows that the model learned from.
    target : TargetChoice
        Column that it predicts.
    facts : ModelFacts
        Facts about the model.
    """
    from core.models import MODEL_KINDS, MlflowFolder, ServedModelFile, describe_fields

    known = table.description
    training = folder / TRAINING
    training.mkdir(exist_ok=True)
    described = write_data(training, table.frame, replace(known, target=target.name, target_reason=target.reason))
    reading = _reading(known)
    write_text(folder / DATA / _READING, reading.to_json())
    if known.steps is not None:
        write_text(folder / DATA / _RECIPE, json.dumps(known.steps))
    types = dict.fromkeys(facts.features, "text") if facts.kind == "text" else {}
    fields = describe_fields(training / "table.parquet", facts.features, target=target.name, types=types)
    names = {field.name for field in fields} | _step_inputs(known)
    served = ServedModelFile(
        kind=facts.kind,
        fields=fields,
        labels=None if facts.labels is None else [str(label) for label in facts.labels],
        max_length=facts.max_length,
        batch_size=facts.batch_size,
        steps=known.steps or {},
        formats=jsonable({name: item for name, item in reading.formats().items() if name in names}),
    )
    metadata = {"component": facts.component, "fingerprint": described.fingerprint, "target": target.name}
    written = MlflowFolder(
        served, MODEL_KINDS[facts.kind], facts.labels, facts.packages, metadata, secrets.token_hex(16)
    )
    written.write(folder, {})
    log(
        f"Wrote the model. Its folder '{TRAINING}' has the rows that it learned from: leave it out of what you hand on."
    )
    return ModelFolder(folder)


def _reading(known: DataDescription) -> Reading:
    from core.grammar import Reading

    if known.reading is None:
        return Reading()
    try:
        return Reading.from_json(json.dumps(known.reading))
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"The entry 'reading' of {DESCRIPTION} is not one that a step wrote ({error!r}).", "Remove it."
        ) from None


def _step_inputs(known: DataDescription) -> set[str]:
    from core.datasets import Replay

    return set() if known.steps is None else Replay.from_dict(known.steps).inputs
