"""How the training table of a run was read: other rows are read in the same way."""

from __future__ import annotations

from core.access import Access
from core.catalog import artifacts, datasets
from core.errors import NotFoundError
from core.grammar import Reading
from core.storage import get_store

__all__ = ["READING", "Reading", "training_reading"]

READING = "reading.json"
"""Name of the file of a run."""


def training_reading(run_id: str, dataset_id: str | None, *, access: Access) -> Reading:
    """Return the grammar of a run's training table.

    Parameters
    ----------
    run_id : str
        Run that trained the model.
    dataset_id : str, optional
        Its dataset, whose report is used for runs made before the grammar was stored with them.
    access : Access
        The workspace, and who acts in it.

    Returns
    -------
    Reading
        Without columns when neither has it.
    """
    from core.datasets import ReadReport

    try:
        return Reading.from_json(get_store().read_bytes(artifacts.get(run_id, READING, access=access).digest))
    except NotFoundError:
        pass
    try:
        report = {} if dataset_id is None else datasets.get(dataset_id, access=access).report
    except NotFoundError:
        return Reading()
    return Reading.of(ReadReport.from_dict(report)) if report else Reading()
