"""How a model's training table came from its file: other rows are read and prepared in the same way."""

from __future__ import annotations

import json
from pathlib import Path

from core.catalog import Dataset, artifacts, datasets
from core.errors import NotFoundError
from core.models import REPLAY
from core.storage import get_store

__all__ = ["keep_reading", "training_grammar"]

READING = "reading.json"


def keep_reading(dataset: Dataset, folder: Path) -> None:
    """Write the types of the columns in the file, and the row-wise steps that followed, into a model's folder.

    Parameters
    ----------
    dataset : Dataset
        Version that the model was trained on.
    folder : Path
        Folder with the files of the model.
    """
    from core.datasets import ReadReport, Recipe, Replay

    grammar = ReadReport.from_dict(dataset.report).grammar()
    (folder / READING).write_text(json.dumps(grammar), encoding="utf-8")
    if "fitted" in dataset.lineage:
        replay = Replay(Recipe.from_dict(dataset.lineage["fitted"]), dataset.lineage.get("types", {}))
        (folder / REPLAY).write_text(json.dumps(replay.to_dict()), encoding="utf-8")


def training_grammar(run_id: str, dataset_id: str | None, *, workspace: str) -> dict[str, str]:
    """Return the types by column of a run's training table.

    Parameters
    ----------
    run_id : str
        Run that trained the model.
    dataset_id : str, optional
        Its dataset, whose report is used for runs made before the types were stored with them.
    workspace : str
        Workspace of both.

    Returns
    -------
    dict of str to str
        Empty when neither has them.
    """
    from core.datasets import ReadReport

    try:
        artifact = artifacts.get(run_id, READING, workspace)
    except NotFoundError:
        artifact = None
    if artifact is not None:
        return dict(json.loads(get_store().read_bytes(artifact.digest)))
    try:
        return {} if dataset_id is None else ReadReport.from_dict(datasets.get(dataset_id, workspace).report).grammar()
    except NotFoundError:
        return {}
