"""Scored rows, and the report on how they differ from the training rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from pydantic import JsonValue, TypeAdapter

from core.datasets import Finding, SkippedRow
from core.models._run_result import StoredEstimate
from core.models.column_report import ColumnReport
from core.models.file_evaluation import FileEvaluation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ScoredRows", "ScoringReport"]


@dataclass(frozen=True)
class ScoringReport:
    """How scored rows differ from the training rows.

    Parameters
    ----------
    findings : tuple of Finding
        The differences, in sentences.
    columns : tuple of ColumnReport
        Differences of each column from training.
    unknown_groups : dict of str to int
        Number of rows by group that the policy has no rule for.
    ignored : tuple of str
        Columns of the table that neither the model nor the policy reads.
    policy : str or None
        Name of the policy's file.
    skipped : int, default=0
        Number of lines of the file that could not be read.
    skipped_rows : tuple of SkippedRow, default=()
        The first of these lines.
    expected : dict of StoredEstimate, default={}
        Number of rows of each class to expect, by label, with its interval; of a number none.
    evaluation : FileEvaluation or None, default=None
        Metrics of the rows, where the file has the target.
    """

    findings: tuple[Finding, ...]
    columns: tuple[ColumnReport, ...]
    unknown_groups: dict[str, int]
    ignored: tuple[str, ...]
    policy: str | None
    skipped: int = 0
    skipped_rows: tuple[SkippedRow, ...] = ()
    expected: dict[str, StoredEstimate] = field(default_factory=dict)
    evaluation: FileEvaluation | None = None

    @property
    def alerts(self) -> int:
        """Number of findings that may make the predictions wrong."""
        return sum(finding.level == "alert" for finding in self.findings)

    def to_json(self) -> bytes:
        """Return the report as JSON."""
        return _report_adapter().dump_json(self)

    @classmethod
    def from_json(cls, content: bytes) -> ScoringReport:
        """Return the report that `to_json` wrote."""
        return _report_adapter().validate_json(content)

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the report as JSON-serializable values."""
        return dict(_report_adapter().dump_python(self, mode="json"))


@cache
def _report_adapter() -> TypeAdapter[ScoringReport]:
    return TypeAdapter(ScoringReport)


@dataclass(frozen=True)
class ScoredRows:
    """Scored rows.

    Parameters
    ----------
    table : DataFrame
        One row per scored row, with its index: prediction, one probability per class (columns ``p(<label>)``) and, with
        a policy, decision: 1 is selected; missing where the policy does not know the group.
    columns : tuple of ColumnReport
        Differences of each column from training.
    unknown_groups : dict of str to int
        Number of rows by group that the policy has no rule for.
    ignored : tuple of str
        Columns of the table that neither the model nor the policy reads.
    policy : str or None
        Name of the policy's file.
    findings : tuple of Finding
        The differences, in sentences.
    expected : dict of StoredEstimate, default={}
        Number of rows of each class to expect, by label, with its interval; of a number none.
    """

    table: pd.DataFrame
    columns: tuple[ColumnReport, ...]
    unknown_groups: dict[str, int]
    ignored: tuple[str, ...]
    policy: str | None
    findings: tuple[Finding, ...]
    expected: dict[str, StoredEstimate] = field(default_factory=dict)

    def scoring_report(
        self,
        *,
        skipped: int = 0,
        skipped_rows: Iterable[SkippedRow] = (),
        reading: Iterable[Finding] = (),
        evaluation: FileEvaluation | None = None,
    ) -> ScoringReport:
        """Return all but the table.

        Parameters
        ----------
        skipped : int, default=0
            Number of lines of the file that could not be read.
        skipped_rows : iterable of SkippedRow, default=()
            The first of these lines.
        reading : iterable of Finding, default=()
            Findings from reading the file, which come first.
        evaluation : FileEvaluation, optional
            Metrics of the rows, where the file has the target.
        """
        return ScoringReport(
            findings=(*reading, *self.findings),
            columns=self.columns,
            unknown_groups=self.unknown_groups,
            ignored=self.ignored,
            policy=self.policy,
            skipped=skipped,
            skipped_rows=tuple(skipped_rows),
            expected=self.expected,
            evaluation=evaluation,
        )

    def report(self) -> dict[str, JsonValue]:
        """Return all but the table as JSON-serializable values."""
        return self.scoring_report().to_dict()
