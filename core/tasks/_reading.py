"""How a model's training table came from its file: other rows are read and prepared in the same way."""

from __future__ import annotations

import json
from pathlib import Path

from core.catalog import Dataset
from core.models import REPLAY
from core.readings import READING, Reading

__all__ = ["keep_reading"]


def keep_reading(dataset: Dataset, folder: Path) -> None:
    """Write the grammar of the columns in the file, and the row-wise steps that followed, into a model's folder.

    Parameters
    ----------
    dataset : Dataset
        Version that the model was trained on.
    folder : Path
        Folder with the files of the model.
    """
    from core.datasets import ReadReport, Recipe, Replay

    reading = Reading.of(ReadReport.from_dict(dataset.report))
    (folder / READING).write_text(reading.to_json(), encoding="utf-8")
    if "fitted" in dataset.lineage:
        replay = Replay(Recipe.from_dict(dataset.lineage["fitted"]), dataset.lineage.get("types", {}))
        (folder / REPLAY).write_text(json.dumps(replay.to_dict()), encoding="utf-8")
