"""How the training table of a run was read: other rows are read in the same way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.catalog import artifacts, datasets
from core.errors import NotFoundError
from core.storage import get_store

if TYPE_CHECKING:
    from core.datasets import CellFormat, ReadReport

__all__ = ["READING", "Reading", "training_reading"]

READING = "reading.json"
"""Name of the file of a run."""


@dataclass(frozen=True)
class Reading:
    """The grammar of a table's columns.

    Parameters
    ----------
    columns : dict of str to str
        Types by column, as ``ReadReport.grammar()`` returns them.
    missing_values : tuple of str, optional
        Texts that mean a missing value, where they are not the usual ones.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    missing_values: tuple[str, ...] | None = None

    @classmethod
    def of(cls, report: ReadReport) -> Reading:
        """Return the grammar of a table that was read."""
        markers = report.options.missing_values
        given = report.given.missing_values != "auto"
        return cls(report.grammar(), tuple(markers) if given and not isinstance(markers, str) else None)

    @classmethod
    def from_json(cls, text: str | bytes) -> Reading:
        """Return what `to_json` wrote; earlier versions wrote the types alone."""
        values = json.loads(text)
        if all(isinstance(value, str) for value in values.values()):
            return cls(values)
        markers = values["missing_values"]
        return cls(values["columns"], None if markers is None else tuple(markers))

    def to_json(self) -> str:
        """Return the grammar as JSON."""
        if self.missing_values is None:
            return json.dumps(dict(self.columns))
        return json.dumps({"columns": dict(self.columns), "missing_values": list(self.missing_values)})

    def formats(self) -> dict[str, CellFormat]:
        """Return the format of each column, which code without DuckDB reads cells by."""
        from core.datasets import cell_format

        return {name: cell_format(spec, self.missing_values) for name, spec in self.columns.items()}


def training_reading(run_id: str, dataset_id: str | None, *, workspace: str) -> Reading:
    """Return the grammar of a run's training table.

    Parameters
    ----------
    run_id : str
        Run that trained the model.
    dataset_id : str, optional
        Its dataset, whose report is used for runs made before the grammar was stored with them.
    workspace : str
        Workspace of both.

    Returns
    -------
    Reading
        Without columns when neither has it.
    """
    from core.datasets import ReadReport

    try:
        return Reading.from_json(get_store().read_bytes(artifacts.get(run_id, READING, workspace).digest))
    except NotFoundError:
        pass
    try:
        report = {} if dataset_id is None else datasets.get(dataset_id, workspace).report
    except NotFoundError:
        return Reading()
    return Reading.of(ReadReport.from_dict(report)) if report else Reading()
