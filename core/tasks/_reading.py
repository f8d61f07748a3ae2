"""The types that the columns of a model's training table had: other rows are read in the same way."""

from __future__ import annotations

import json

from core.catalog import artifacts, datasets
from core.errors import NotFoundError
from core.storage import get_store

__all__ = ["READING", "training_grammar"]

READING = "reading.json"


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
