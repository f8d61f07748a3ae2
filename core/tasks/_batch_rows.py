"""Rows of a file, read as the training table of the version that scores them was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.catalog import ModelVersion, runs
from core.errors import InputError
from core.jobs import RunContext
from core.readings import training_reading

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_batch"]


def read_batch(context: RunContext, version: ModelVersion, path: Path, name: str) -> pd.DataFrame:
    """Return the rows of a file.

    Parameters
    ----------
    context : RunContext
        The run that reads.
    version : ModelVersion
        The version that scores the rows.
    path : Path
        The file.
    name : str
        Name that people know the file by.

    Raises
    ------
    InputError
        When it cannot be read, or has no rows.
    """
    from core.datasets import ReadOptions, load_frame, read_table

    trained = runs.get(version.run_id, access=context.access)
    reading = training_reading(trained.id, trained.dataset_id, access=context.access)
    markers = reading.missing_values
    table = read_table(
        path,
        name=name,
        options=None if markers is None else ReadOptions(missing_values=markers),
        like=reading.like(),
        workdir=context.workdir,
        report=context.report,
    )
    if not table.rows:
        raise InputError("The file has no rows.", "Bring a file with at least one row.")
    return load_frame(Path(table.path))
