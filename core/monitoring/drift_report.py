"""The comparison of a batch with its reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from core.datasets import Finding
from core.jsonable import JsonObject
from core.monitoring.column_drift import ColumnDrift

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DriftReport"]


@dataclass(frozen=True)
class DriftReport:
    """What changed between a reference and a batch.

    Parameters
    ----------
    results : tuple of ColumnDrift
        Results of the columns that both have, by importance where it was given, then by the size of the change.
    score : ColumnDrift or None
        Result of the model's score, which is judged by itself; None where no column was named as such.
    data_quality : tuple of Finding
        Findings on the batch as data; alerts first.
    alpha : float
        Level of the tests.
    relevance : float
        Size of an effect from which a significant change counts.
    reference_rows, current_rows : int
        Rows of both sides.

    See Also
    --------
    compare : Makes one.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from core.monitoring import compare
    >>> random = np.random.default_rng(0)
    >>> before = pd.DataFrame({"age": random.normal(40, 10, 500), "income": random.lognormal(3, 1, 500)})
    >>> after = pd.DataFrame({"age": random.normal(45, 10, 500), "income": random.lognormal(3, 1, 500)})
    >>> report = compare(before, after)
    >>> report.columns["drifted"].to_dict(), report.drifted_columns
    ({'age': True, 'income': False}, ('age',))
    """

    results: tuple[ColumnDrift, ...]
    score: ColumnDrift | None
    data_quality: tuple[Finding, ...]
    alpha: float
    relevance: float
    reference_rows: int
    current_rows: int

    @cached_property
    def columns(self) -> pd.DataFrame:
        """Table of the columns by name: test, statistic, p, p_adjusted, effect, missing_p, drifted and more.

        All fields of `ColumnDrift` but its outcomes, in their order.
        """
        import pandas as pd

        names = [field.name for field in fields(ColumnDrift) if field.name not in ("name", "outcomes")]
        numbers = {
            "statistic",
            "p",
            "p_adjusted",
            "effect",
            "effect_low",
            "effect_high",
            "missing_p",
            "missing_effect",
            "importance",
        }
        table = {name: [getattr(result, name) for result in self.results] for name in names}
        frame = pd.DataFrame(table, index=pd.Index([result.name for result in self.results], name="column"))
        return frame.astype(dict.fromkeys(numbers, float))

    @property
    def drifted_columns(self) -> tuple[str, ...]:
        """Names of the columns that drifted, in the order of the report."""
        return tuple(result.name for result in self.results if result.drifted)

    @property
    def drift_share(self) -> float:
        """Share of the compared columns that drifted; NaN where none could be compared."""
        compared = [result for result in self.results if result.state in ("drifted", "not drifted")]
        return len(self.drifted_columns) / len(compared) if compared else float("nan")

    @property
    def sentence(self) -> str:
        """The comparison in a sentence."""
        compared = sum(result.state in ("drifted", "not drifted") for result in self.results)
        alerts = sum(finding.level == "alert" for finding in self.data_quality)
        words = f"{len(self.drifted_columns):,} of {compared:,} columns drifted"
        if not compared:
            words = "No column could be compared"
        left_out = len(self.results) - compared
        words += f"; {left_out:,} could not be compared" if compared and left_out else ""
        words += f"; {alerts:,} alert{'s' if alerts > 1 else ''} about the data" if alerts else ""
        return f"{words}."

    @property
    def is_broken(self) -> bool:
        """Whether there is an alert about the data, such as a missing column."""
        return any(finding.level == "alert" for finding in self.data_quality)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """All that is worth reading: alerts about the data, columns that drifted, the score, and notices."""
        score = (self.score,) if self.score is not None else ()
        drifts = [
            Finding("score_drift" if result is self.score else "drift", "notice", result.name, result.reason)
            for result in (*score, *self.results)
            if result.drifted
        ]
        alerts = [finding for finding in self.data_quality if finding.level == "alert"]
        others = [finding for finding in self.data_quality if finding.level != "alert"]
        return (*alerts, *drifts, *others)

    def __getitem__(self, name: str) -> ColumnDrift:
        """Return the result of a column."""
        from core.columns import require_columns

        results = {result.name: result for result in self.results}
        require_columns(results, [name], what="The report")
        return results[name]

    def to_dict(self) -> JsonObject:
        """Return the report as JSON-serializable values."""
        return {
            "results": [result.to_dict() for result in self.results],
            "score": None if self.score is None else self.score.to_dict(),
            "data_quality": [finding.to_dict() for finding in self.data_quality],
            "alpha": self.alpha,
            "relevance": self.relevance,
            "reference_rows": self.reference_rows,
            "current_rows": self.current_rows,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DriftReport:
        """Read what `to_dict` wrote."""
        return cls(
            results=tuple(ColumnDrift.from_dict(result) for result in values["results"]),
            score=None if values["score"] is None else ColumnDrift.from_dict(values["score"]),
            data_quality=tuple(Finding.from_dict(finding) for finding in values["data_quality"]),
            alpha=values["alpha"],
            relevance=values["relevance"],
            reference_rows=values["reference_rows"],
            current_rows=values["current_rows"],
        )
