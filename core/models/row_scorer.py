"""Tables scored by a version one after the other, with what all of them have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.datasets import Finding
from core.models._evidence import RunEvidence
from core.models._fields import Field
from core.models._open import open_model, open_onnx
from core.models._policy_applier import PolicyApplier
from core.models._predictors import Predictor
from core.models.column_report import ColumnReport
from core.models.file_evaluation import EvaluatedRows, FileEvaluation
from core.models.file_summary import ExpectedCounts
from core.models.policy_choice import choose_policy
from core.models.scoring_pipeline import PipelineOutput, ScoringPipeline
from core.models.scoring_report import ScoredRows
from core.readings import training_reading

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from core.access import Access
from core.catalog import ModelVersion

__all__ = ["RowScorer"]


@dataclass
class _Totals:
    """What a scorer saw in all tables so far."""

    columns: dict[str, ColumnReport] = field(default_factory=dict)
    others: dict[str, ColumnReport] = field(default_factory=dict)
    unknown_groups: dict[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    expected: ExpectedCounts | None = None

    def add(self, output: PipelineOutput) -> None:
        """Add what was seen in some more rows."""
        _add(self.columns, output.prepared.reports)
        _add(self.others, [*output.prepared.unread, *output.groups])
        for group, count in output.unknown_groups.items():
            self.unknown_groups[group] = self.unknown_groups.get(group, 0) + count


def _add(reports: dict[str, ColumnReport], more: Iterable[ColumnReport]) -> None:
    for report in more:
        reports[report.name] = reports.get(report.name, ColumnReport(report.name)) + report


class RowScorer:
    """Scores tables with one version, one after the other, and sums up how they differ from training.

    Parameters
    ----------
    version : ModelVersion
        The version that predicts.
    policy : str, optional
        Name of the file of a policy that is stored with the model; by default the one in force. "none" makes no
        decisions.
    row_id : str, optional
        A column of unique ids, for a policy that draws some decisions at random.
    onnx : Path, optional
        An exported model to use in place of the model itself: it needs ONNX Runtime alone.
    access : Access
        The workspace, and who acts in it.

    See Also
    --------
    score_rows : Score one table.
    """

    def __init__(
        self,
        version: ModelVersion,
        *,
        policy: str | None = None,
        row_id: str | None = None,
        onnx: Path | None = None,
        access: Access,
    ) -> None:
        self._evidence = evidence = RunEvidence.of(version.run_id, access=access)
        self.fields = [Field.from_dict(column) for column in version.columns]
        chosen, run = choose_policy(evidence.run, policy, access=access), evidence.run
        self._pipeline = ScoringPipeline(
            self.fields,
            formats=training_reading(run.id, run.dataset_id, access=access).formats(),
            replay=evidence.replay,
            applier=None if chosen is None else PolicyApplier(*chosen, evidence.labels),
        )
        self._evaluated = EvaluatedRows(evidence, self._pipeline.features, self._pipeline.markers)
        self._row_id = row_id
        self._onnx = onnx
        self._totals = _Totals()

    @property
    def policy(self) -> str | None:
        """Name of the file of the policy that decides."""
        applier = self._pipeline.applier
        return None if applier is None else applier.name

    @property
    def draws(self) -> bool:
        """Whether the policy draws some decisions at random, by ids of the rows."""
        applier = self._pipeline.applier
        return applier is not None and applier.rules.randomized

    @property
    def target(self) -> str:
        """The column that the model predicts; new rows may have it."""
        return self._evidence.target

    @property
    def ranked_by(self) -> str | None:
        """Column of the predictions that ranks rows: the score that decides.

        Without a policy that is the probability of the last of two classes, or the number; of more classes none.
        """
        labels, applier = self._evidence.labels, self._pipeline.applier
        if labels is None:
            return "prediction"
        if applier is not None:
            return f"p({applier.positive_label})"
        return f"p({labels[-1]})" if len(labels) == 2 else None

    @property
    def has_target(self) -> bool:
        """Whether rows that were scored have the target."""
        return self._evaluated.has_rows

    def evaluate(self, predictions: pd.DataFrame) -> FileEvaluation | None:
        """Compare predictions with the target of the rows; None where too few rows have it.

        The target then counts as a column that is read.

        Parameters
        ----------
        predictions : DataFrame
            Predictions of all rows that were scored, in their order.
        """
        labels = self._evidence.labels
        names = ["prediction"] if labels is None else [f"p({label})" for label in labels]
        outputs = predictions[names].to_numpy(dtype=float, na_value=np.nan)
        evaluation = self._evaluated.evaluation(outputs[:, 0] if labels is None else outputs)
        if evaluation is not None:
            read = {self.target, evaluation.weight}
            self._totals.ignored = tuple(name for name in self._totals.ignored if name not in read)
        return evaluation

    def reasons(
        self, row: pd.DataFrame, background: pd.DataFrame, *, most: int = 3, budget_s: float = 2.0
    ) -> list[str]:
        """Return what moves the prediction of one row most, as texts such as "age = 33 (+0.12)".

        Parameters
        ----------
        row : DataFrame of shape (1, columns)
            The row.
        background : DataFrame of shape (b, columns)
            Rows that stand for "unknown".
        most : int, default=3
            Maximum number of reasons.
        budget_s : float, default=2.0
            Maximum duration in seconds.

        Raises
        ------
        LimitError
            When the model is too slow for so many columns.
        """
        from core.explain import explain_row

        cells, known = (self._pipeline.prepare(part) for part in (row, background))
        shap = explain_row(
            self._predictor.outputs,
            cells,
            known,
            self._evidence.labels,
            columns=[field.name for field in self._pipeline.features],
            budget_s=budget_s,
        )
        values = shap.values[0, :, -1]
        order = np.argsort(-np.abs(values))[:most]
        return [
            f"{shap.features[index]} = {cells[shap.features[index]].iloc[0]} ({values[index]:+.3g})"
            for index in order
            if values[index]
        ]

    def cells(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the columns that the model reads, as it reads them: after the steps, with the types of training.

        Raises
        ------
        InputError
            When there are no rows, or a column that the model needs is absent.
        """
        return self._pipeline.prepare(frame)

    def score(self, frame: pd.DataFrame, *, decide: bool = True) -> pd.DataFrame:
        """Return the predictions of some more rows.

        Parameters
        ----------
        frame : DataFrame
            The rows.
        decide : bool, default=True
            Whether the policy decides, where there is one.

        Raises
        ------
        InputError
            When there are no rows, or a column that the model or the policy needs is absent.
        """
        output, totals = self._pipeline.run(frame, self._predictor, self._row_id, decide=decide), self._totals
        totals.add(output)
        self._evaluated.add(output.prepared)
        if output.outputs.ndim == 2:
            totals.expected = totals.expected or ExpectedCounts(self._evidence.labels or ())
            totals.expected.add(output.outputs)
        used = self._pipeline.columns | {self._row_id}
        totals.ignored = tuple(str(name) for name in frame.columns if str(name) not in used)
        return output.table

    @cached_property
    def _predictor(self) -> Predictor:
        if self._onnx is not None:
            return open_onnx(self._evidence, self._onnx)
        return open_model(self._evidence.run.id, access=self._evidence.access)

    def scored(self, table: pd.DataFrame) -> ScoredRows:
        """Return predictions with the report on all rows so far.

        Parameters
        ----------
        table : DataFrame
            The table that `score` returned.
        """
        totals = self._totals
        reports = tuple(totals.columns[field.name] for field in self._pipeline.features)
        findings = self._pipeline.findings(totals.columns, totals.others, totals.unknown_groups)
        if totals.ignored:
            names = ", ".join(map(repr, totals.ignored[:10])) + (" …" if len(totals.ignored) > 10 else "")
            count = "1 column is" if len(totals.ignored) == 1 else f"{len(totals.ignored):,} columns are"
            findings.append(Finding("ignored", "notice", None, f"{count} not read: {names}.", ""))
        expected = {} if totals.expected is None else totals.expected.estimates(self._tested)
        return ScoredRows(
            table, reports, dict(totals.unknown_groups), totals.ignored, self.policy, tuple(findings), expected
        )

    @property
    def _tested(self) -> NDArray[np.float64] | None:
        """Probabilities of the test rows; None without a test."""
        names = [f"p({label})" for label in self._evidence.labels or ()]
        if not self._evidence.result.test_rows:
            return None
        return np.asarray(self._evidence.test[names].to_numpy(dtype=float))
