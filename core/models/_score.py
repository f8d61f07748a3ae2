"""New rows scored by a registered model, with a report on how they differ from those it learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.datasets import Finding
from core.models._decide import Decider, choose_policy
from core.models._evidence import Evidence
from core.models._fields import Field
from core.models._intake import ColumnReport, take_in
from core.models._open import open_model, open_onnx
from core.models._predictors import Predictor, table_of
from core.models._registry import resolve

if TYPE_CHECKING:
    import pandas as pd

    from core.catalog import ModelVersion

__all__ = ["RowScorer", "ScoredRows", "exported_model", "form_fields", "score", "score_rows"]


@dataclass(frozen=True)
class ScoredRows:
    """Scored rows.

    Parameters
    ----------
    table : DataFrame
        A row a row, with its index: prediction, a probability a class (columns ``p(<label>)``) and, with a policy,
        decision: 1 is selected, missing where the policy does not know the group.
    columns : tuple of ColumnReport
        How each column differs from training.
    unknown_groups : dict
        Rows by group that the policy has no rule for.
    ignored : tuple of str
        Columns of the table that nothing reads.
    policy : str or None
        The policy's file.
    findings : tuple of Finding
        All of that for people.
    """

    table: pd.DataFrame
    columns: tuple[ColumnReport, ...]
    unknown_groups: dict[str, int]
    ignored: tuple[str, ...]
    policy: str | None
    findings: tuple[Finding, ...]

    def report(self) -> dict[str, Any]:
        """Return all but the table as JSON-serialisable values."""
        return {
            "findings": [finding.to_dict() for finding in self.findings],
            "columns": [column.to_dict() for column in self.columns],
            "unknown_groups": self.unknown_groups,
            "ignored": list(self.ignored),
            "policy": self.policy,
        }


class RowScorer:
    """Scores tables of one version, one after the other, and sums up what it saw.

    Parameters
    ----------
    version : ModelVersion
        What predicts.
    policy : str, optional
        File of a policy that is kept with the model; by default the only one. "none" leaves decisions out.
    row_id : str, optional
        A column of unique ids, for a policy that draws some decisions.
    onnx : Path, optional
        An exported model to use in place of the model itself: it loads ONNX Runtime alone.
    """

    def __init__(
        self, version: ModelVersion, *, policy: str | None = None, row_id: str | None = None, onnx: Path | None = None
    ) -> None:
        evidence = Evidence.of(version.run_id, version.workspace)
        self.fields = [Field.from_dict(each) for each in version.columns]
        self._features = [field for field in self.fields if field.role == "feature"]
        chosen = choose_policy(evidence.run, policy)
        self._decider = None if chosen is None else Decider(*chosen, evidence.labels)
        self._row_id = row_id
        self._evidence, self._onnx = evidence, onnx
        self._reports: dict[str, ColumnReport] = {}
        self._unknown: dict[str, int] = {}
        self._ignored: tuple[str, ...] = ()

    @property
    def policy(self) -> str | None:
        """The file of the policy that decides."""
        return None if self._decider is None else self._decider.name

    def score(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the predictions of some more rows.

        Raises
        ------
        InputError
            When there are no rows, or a column that the model or the policy needs is absent.
        """
        if self._decider is not None:
            self._decider.require(frame, self._row_id)
        rows, reports = take_in(frame, self._features)
        outputs = self._predictor.outputs(rows)
        found = table_of(outputs, self._predictor.labels, frame.index)
        if self._decider is not None:
            found["decision"], unknown = self._decider.decide(outputs, frame, self._row_id)
            for group, count in unknown.items():
                self._unknown[group] = self._unknown.get(group, 0) + count
        for report in reports:
            self._reports[report.name] = self._reports.get(report.name, ColumnReport(report.name)) + report
        used = {field.name for field in self._features} | set(self._decided_by) | {self._row_id}
        self._ignored = tuple(str(name) for name in frame.columns if str(name) not in used)
        return found

    @cached_property
    def _predictor(self) -> Predictor:
        if self._onnx is not None:
            return open_onnx(self._evidence, self._onnx)
        return open_model(self._evidence.run.id, self._evidence.run.workspace)

    @property
    def _decided_by(self) -> Sequence[str]:
        return () if self._decider is None else self._decider.policy.columns

    def scored(self, table: pd.DataFrame) -> ScoredRows:
        """Return predictions with the report on all rows so far."""
        reports = tuple(self._reports[field.name] for field in self._features)
        findings = [
            each for field, report in zip(self._features, reports, strict=True) for each in report.findings(field)
        ]
        if self._decider is not None and (about := self._decider.finding(self._unknown)) is not None:
            findings.append(about)
        if self._ignored:
            names = ", ".join(map(repr, self._ignored[:10])) + (" …" if len(self._ignored) > 10 else "")
            count = "1 column is" if len(self._ignored) == 1 else f"{len(self._ignored):,} columns are"
            findings.append(Finding("ignored", "notice", None, f"{count} not read: {names}.", ""))
        return ScoredRows(table, reports, dict(self._unknown), self._ignored, self.policy, tuple(findings))


def score_rows(
    model: str,
    frame: pd.DataFrame,
    *,
    policy: str | None = None,
    row_id: str | None = None,
    onnx: Path | None = None,
    workspace: str,
) -> ScoredRows:
    """Score new rows, and report how they differ from those of the training.

    Parameters
    ----------
    model : str
        The id of a version, or of a model: its champion, else its newest version.
    frame : DataFrame (n, columns)
        Has the model's columns in any order, and may have others.
    policy, row_id, onnx
        As `RowScorer` takes them.

    Returns
    -------
    ScoredRows

    Raises
    ------
    NotFoundError
        When there is no such model.
    InputError
        When there are no rows, or a column that the model or the policy needs is absent.
    """
    scorer = RowScorer(resolve(model, workspace=workspace), policy=policy, row_id=row_id, onnx=onnx)
    return scorer.scored(scorer.score(frame))


def score(
    model: str, frame: pd.DataFrame, *, policy: str | None = None, row_id: str | None = None, workspace: str
) -> pd.DataFrame:
    """Return the predictions of new rows: the table of `score_rows`, its findings as ``attrs["findings"]``."""
    found = score_rows(model, frame, policy=policy, row_id=row_id, workspace=workspace)
    found.table.attrs["findings"] = [finding.to_dict() for finding in found.findings]
    return found.table


def exported_model(version: ModelVersion) -> Path | None:
    """Return the version as an ONNX file, for `score_rows` in a process that loads ONNX Runtime alone; None if none."""
    return Evidence.of(version.run_id, version.workspace).exported()


def form_fields(version: ModelVersion, *, policy: str | None = None) -> list[Field]:
    """Return what a form asks for to score one row: the features, then the columns that the policy decides by."""
    known = {field.name: field for field in map(Field.from_dict, version.columns)}
    found = [field for field in known.values() if field.role == "feature"]
    chosen = choose_policy(Evidence.of(version.run_id, version.workspace).run, policy)
    names = [] if chosen is None else [name for name in chosen[1].columns if name not in {each.name for each in found}]
    groups: dict[str, Any] = {} if chosen is None else chosen[1].rules
    # A policy that was kept after the registration may decide by a column that was not described then.
    return found + [known.get(name, Field(name, "category", role="group", choices=tuple(groups))) for name in names]
