"""All tests of one column, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass

from core.monitoring.adjustment import combine_p_values
from core.monitoring.column_drift import ColumnDrift, ColumnState
from core.monitoring.column_pairs import same_type
from core.monitoring.column_sketches import COLUMN_TYPES, ColumnSketch
from core.monitoring.drift_tests import DRIFT_TESTS, choose_tests
from core.monitoring.drift_words import describe_drift, describe_missing
from core.monitoring.missing_tests import compare_missing, is_relevant
from core.monitoring.outcomes import DriftOutcome, TestContext

__all__ = ["ColumnTests", "run_column_tests"]


@dataclass(frozen=True)
class ColumnTests:
    """Outcomes of the tests of a column, before other columns are taken into account.

    Parameters
    ----------
    name : str
        Name of the column.
    reference, current : ColumnSketch
        Columns that were compared.
    outcomes : tuple of DriftOutcome
        Tests of the values.
    missing : DriftOutcome or None
        Test of missing cells.
    obstacle : str, default=""
        Reason why values are not compared.
    """

    name: str
    reference: ColumnSketch
    current: ColumnSketch
    outcomes: tuple[DriftOutcome, ...]
    missing: DriftOutcome | None
    obstacle: str = ""

    @property
    def _p_values(self) -> list[float]:
        parts = [*self.outcomes, *((self.missing,) if self.missing is not None else ())]
        return [part.p for part in parts if part.p is not None]

    @property
    def p(self) -> float | None:
        """P-value of all tests together; None where there is none."""
        return combine_p_values(self._p_values) if self._p_values else None

    def judge(
        self, adjusted: float | None, limit: float, alpha: float, relevance: float, importance: float | None
    ) -> ColumnDrift:
        """Return the result of the column.

        Parameters
        ----------
        adjusted : float or None
            P-value of the column, adjusted over all columns.
        limit : float
            Largest p-value of a column that is significant after adjustment.
        alpha, relevance : float
            Level of the tests, and the size from which an effect counts.
        importance : float or None
            Importance of the column.
        """
        tests = len(self._p_values)

        def is_significant(outcome: DriftOutcome) -> bool:
            return outcome.p is not None and min(1.0, outcome.p * tests) <= limit

        tested = [outcome for outcome in self.outcomes if outcome.p is not None]
        hits = [outcome for outcome in tested if is_significant(outcome) and (outcome.effect or 0.0) >= relevance]
        gaps = self.missing if self.missing is not None and self.missing.p is not None else None
        missing_drifted = gaps is not None and is_significant(gaps) and is_relevant(gaps, relevance)
        shown = min(
            hits or tested or [*self.outcomes], key=lambda outcome: (outcome.p is None, outcome.p), default=None
        )
        drifted = bool(hits) or missing_drifted
        words = [describe_drift(outcome, self.reference, self.current) for outcome in hits]
        if missing_drifted and gaps is not None:
            words.append(describe_missing(gaps))
        state, reason = self._state(drifted, tested, gaps, shown, adjusted, alpha, relevance)
        return ColumnDrift(
            name=self.name,
            type=self.reference.type,
            state=state,
            reason="; ".join(words) or reason,
            test=None if shown is None else shown.test,
            statistic=None if shown is None else shown.statistic,
            p=None if shown is None else shown.p,
            p_adjusted=adjusted,
            effect=None if shown is None else shown.effect,
            effect_low=None if shown is None else shown.low,
            effect_high=None if shown is None else shown.high,
            missing_p=None if gaps is None else gaps.p,
            missing_effect=None if gaps is None else gaps.effect,
            missing_reference=self.reference.missing_share,
            missing_current=self.current.missing_share,
            n_reference=self.reference.present,
            n_current=self.current.present,
            drifted=drifted,
            importance=importance,
            outcomes=self.outcomes,
        )

    def _state(
        self,
        drifted: bool,
        tested: list[DriftOutcome],
        gaps: DriftOutcome | None,
        shown: DriftOutcome | None,
        adjusted: float | None,
        alpha: float,
        relevance: float,
    ) -> tuple[ColumnState, str]:
        if drifted:
            return "drifted", ""
        if self.obstacle:
            return "not compared", self.obstacle
        if not tested:
            reason = shown.reason if shown is not None else "no test fits"
            return ("not enough data" if reason.startswith("not enough data") else "not compared"), reason
        if self.reference.is_constant and self.current.is_constant and not (shown and shown.effect):
            return "not drifted", "constant: all rows have one value, on both sides"
        if adjusted is not None and adjusted < alpha:
            largest = max((outcome.effect or 0.0 for outcome in [*tested, *([gaps] if gaps else [])]), default=0.0)
            return "not drifted", f"the change is significant, and too small to matter ({largest:.3f})"
        return "not drifted", "chance explains the difference"


def run_column_tests(name: str, context: TestContext, test: str | None = None) -> ColumnTests:
    """Return the tests of a column that both batches have.

    Parameters
    ----------
    name : str
        Name of the column.
    context : TestContext
        Batches that are compared.
    test : str, optional
        Key of `DRIFT_TESTS`, in place of the tests of the column's type.
    """
    reference, current = context.reference.columns[name], context.current.columns[name]
    missing = compare_missing(reference, current)
    pair = same_type(reference, current)
    if pair is None:
        before, now = COLUMN_TYPES[reference.type], COLUMN_TYPES[current.type]
        return ColumnTests(name, reference, current, (), missing, f"not comparable: {before} became {now}")
    reference, current = pair
    if reference.type in ("id", "empty"):
        return ColumnTests(name, reference, current, (), missing, _obstacle(reference))
    chosen = [DRIFT_TESTS[test]] if test is not None else choose_tests(reference, current)
    outcomes = tuple(record.run(reference, current, context) for record in chosen)
    return ColumnTests(name, reference, current, outcomes, missing)


def _obstacle(column: ColumnSketch) -> str:
    return "identifiers are not compared" if column.type == "id" else "there are no values on either side"
