"""From new rows to predictions and decisions. It travels with a model, and needs no catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.models._fields import Field
from core.models._intake import read_rows
from core.models._policy_applier import PolicyApplier
from core.models._predictors import Predictor, prediction_table
from core.models.column_report import ColumnReport
from core.models.row_preparer import PreparedRows, RowPreparer
from core.models.written_cells import WrittenFormat

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from core.datasets import Finding, Replay

__all__ = ["PipelineOutput", "ScoringPipeline"]


@dataclass(frozen=True)
class PipelineOutput:
    """What a pipeline made of some rows.

    Parameters
    ----------
    table : DataFrame
        Prediction, one probability per class and, with a policy, decision.
    outputs : array of shape (n, classes) or (n,)
        Probabilities, or numbers.
    prepared : PreparedRows
        The rows as the model read them, with the differences of its columns from training.
    groups : list of ColumnReport, default=[]
        Differences of the columns that only the policy reads.
    unknown_groups : dict of str to int, default={}
        Number of rows by group that the policy has no rule for.
    """

    table: pd.DataFrame
    outputs: NDArray[np.float64]
    prepared: PreparedRows
    groups: list[ColumnReport] = field(default_factory=list)
    unknown_groups: dict[str, int] = field(default_factory=dict)


class ScoringPipeline:
    """Scores new rows as training read them, and decides by a policy.

    Parameters
    ----------
    fields : sequence of Field
        Columns of the model: features, and others that a policy decides by.
    formats : mapping of str to dict, optional
        Format in which the training file had the cells, by column.
    replay : Replay, optional
        Row-wise steps between the file and the training table.
    applier : PolicyApplier, optional
        Policy that decides.
    """

    def __init__(
        self,
        fields: Sequence[Field],
        *,
        formats: Mapping[str, WrittenFormat] | None = None,
        replay: Replay | None = None,
        applier: PolicyApplier | None = None,
    ) -> None:
        self.features = [field for field in fields if field.role == "feature"]
        self.applier = applier
        self.groups = [] if applier is None else applier.fields({field.name: field for field in fields})
        self._preparer = RowPreparer(self.features, formats, replay)

    @property
    def columns(self) -> set[str]:
        """Names of all columns that are read, before and after the steps."""
        return {field.name for field in [*self.features, *self.groups]} | self._preparer.inputs

    @property
    def markers(self) -> dict[str, list[str]]:
        """Texts that mean a missing value, by column of text."""
        return self._preparer.markers

    def prepare(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the features of rows with the types of training.

        Raises
        ------
        InputError
            When there are no rows, or a column is absent.
        """
        return self._preparer.prepare(frame).cells

    def run(
        self, frame: pd.DataFrame, predictor: Predictor, row_id: str | None = None, *, decide: bool = True
    ) -> PipelineOutput:
        """Score rows.

        Parameters
        ----------
        frame : DataFrame
            Rows of the file, or after the steps. Columns may be in any order, and there may be others.
        predictor : Predictor
            The model.
        row_id : str, optional
            Column of unique ids, for a policy that draws some decisions at random.
        decide : bool, default=True
            Whether the policy decides, where there is one.

        Raises
        ------
        InputError
            When there are no rows, or a column that the model or the policy needs is absent.
        """
        applier = self.applier if decide else None
        prepared = self._preparer.prepare(frame, keep=row_id if decide else None)
        if applier is not None:
            applier.require([str(name) for name in prepared.frame.columns], row_id)
        outputs = predictor.outputs(prepared.cells)
        table = prediction_table(outputs, predictor.labels, frame.index, several=predictor.several)
        if applier is None:
            return PipelineOutput(table, outputs, prepared)
        cells, reports = read_rows(prepared.frame, self.groups, self._preparer.markers)
        if row_id is not None:
            cells = cells.assign(**{row_id: prepared.frame[row_id]})
        table["decision"], unknown = applier.decide(outputs, cells, row_id)
        return PipelineOutput(table, outputs, prepared, reports, unknown)

    def findings(
        self, columns: Mapping[str, ColumnReport], others: Mapping[str, ColumnReport], unknown: dict[str, int]
    ) -> list[Finding]:
        """Return what differs from training, in sentences.

        Parameters
        ----------
        columns : mapping of str to ColumnReport
            Reports on the features by name.
        others : mapping of str to ColumnReport
            Reports on columns that only the steps or the policy read.
        unknown : dict of str to int
            Number of rows by group that the policy has no rule for.
        """
        findings = [item for field in self.features for item in columns[field.name].findings(field)]
        known = {field.name: field for field in self.groups}
        for name, report in others.items():
            if name not in known:
                findings += self._preparer.findings(report)
            elif name not in columns:  # groups that the policy does not know are listed below
                findings += [item for item in report.findings(known[name]) if item.check == "unreadable"]
        if self.applier is not None and (item := self.applier.finding(unknown)) is not None:
            findings.append(item)
        return findings
