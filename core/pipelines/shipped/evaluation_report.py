"""The report of an evaluation: its figures as JSON, and as one HTML page that loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

from core.evaluation import METRICS, confusion, curves
from core.jsonable import JsonObject
from core.label_cells import MULTILABEL
from core.pipelines.shipped.scored import PositiveClass, ScoredTable, TrainingRows

if TYPE_CHECKING:
    import pandas as pd
    from jinja2 import Environment

    from core.automl import DecisionFigures
    from core.charts import StaticChart
    from core.evaluation import Comparison
    from core.fairness import Conclusion, GroupMetrics

__all__ = ["EvaluationReport", "GroupComparison"]

_MAX_DRAWN_CLASSES = 12
_RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy")
_NUMBERS = ("mean_error", "mae")


@dataclass(frozen=True)
class GroupComparison:
    """The groups of one column.

    Parameters
    ----------
    column : str
        The column.
    metrics : GroupMetrics
        Metrics by group.
    conclusion : Conclusion
        Sentences that they come to.
    """

    column: str
    metrics: GroupMetrics
    conclusion: Conclusion

    def to_dict(self) -> JsonObject:
        """Return the comparison as JSON-serializable values."""
        by_group = self.metrics.by_group.reset_index()
        intervals = self.metrics.intervals.reset_index()
        return {
            "conclusion": self.conclusion.to_dict(),
            "by_group": by_group.to_dict(orient="records"),
            "intervals": intervals.to_dict(orient="records"),
        }


@dataclass(frozen=True)
class EvaluationReport:
    """An evaluation.

    Parameters
    ----------
    scored : ScoredTable
        Rows with their predictions.
    compared : Comparison
        Metrics of the model and of guessing.
    verdict : str
        Sentence that they come to.
    positive : PositiveClass or None
        Class that the figures are about.
    seen : TrainingRows
        Number of the rows that the model was trained on.
    fairness : sequence of GroupComparison
        Comparisons by column.
    notes : sequence of str
        Sentences on what was left out or guessed.
    learner : str
        Title of what was trained.
    """

    scored: ScoredTable
    compared: Comparison
    verdict: str
    positive: PositiveClass | None
    seen: TrainingRows
    fairness: Sequence[GroupComparison]
    notes: Sequence[str]
    learner: str

    @property
    def decision(self) -> DecisionFigures | None:
        """How often the positive class is predicted, and rightly."""
        from core.automl import decision_figures

        if self.positive is None:
            return None
        label = self.positive.label
        return decision_figures(self.scored.truth == label, self.scored.predicted == label, label)

    def to_dict(self) -> JsonObject:
        """Return the figures as JSON-serializable values."""
        decision = self.decision
        return {
            "task": self.scored.task,
            "target": self.scored.target,
            "metric": self.scored.metric,
            "rows": len(self.scored.y),
            "labels": self.scored.labels,
            "positive": None
            if self.positive is None
            else {"label": self.positive.label, "reason": self.positive.reason},
            "held_out": self.seen.held_out,
            "rows_equal_to_training": self.seen.shared,
            "verdict": self.verdict,
            "metrics": {name: item.to_dict() for name, item in self.compared.metrics["model"].items()},
            "guessing": {name: item.to_dict() for name, item in self.compared.metrics["prior"].items()},
            "gain": self.compared.gains["prior"].to_dict(),
            "decision": None if decision is None else decision.to_dict(),
            "confusion": self._confusion(),
            "fairness": {item.column: item.to_dict() for item in self.fairness},
            "notes": list(self.notes),
        }

    def to_html(self, *, charts: bool = True) -> str:
        """Return the report as one HTML page.

        Parameters
        ----------
        charts : bool, default=True
            Whether it has charts.

        Raises
        ------
        ExportError
            When the charts cannot be drawn.
        """
        from markupsafe import Markup

        from core.charts import inline_svg, svg_of

        figures = self._figures() if charts else {}
        drawn = iter(svg_of([chart for items in figures.values() for chart in items]) if charts else [])
        drawings = {
            key: [(chart.description, Markup(inline_svg(next(drawn)))) for chart in items]
            for key, items in figures.items()
        }
        decision = self.decision
        return (
            _environment()
            .get_template("evaluation.html.jinja")
            .render(
                report=self,
                decision="" if decision is None else decision.sentence,
                metrics=self._metric_rows(),
                groups=[(item, self._group_rows(item)) for item in self.fairness],
                drawings=drawings,
            )
        )

    def _confusion(self) -> list[list[int]] | None:
        if self.scored.labels is None or self.scored.task == MULTILABEL:
            return None
        return confusion(self.scored.y, self.scored.outputs)

    def _metric_rows(self) -> list[tuple[str, str, str, str]]:
        guessing = self.compared.metrics["prior"]
        return [
            (
                METRICS[name].title + ("" if METRICS[name].larger_is_better else " (smaller is better)"),
                _number(item.value),
                f"{_number(item.low)}\u00a0to\u00a0{_number(item.high)}" if item.low is not None else item.reason,
                _number(guessing[name].value),
            )
            for name, item in self.compared.metrics["model"].items()
        ]

    def _shown_rates(self, item: GroupComparison) -> list[str]:
        known = _RATES if self.scored.labels is not None else _NUMBERS
        return [name for name in known if name in item.metrics.metrics]

    def _group_rows(self, item: GroupComparison) -> tuple[list[str], list[list[str]]]:
        from core.fairness import label_text, metric_record

        names = self._shown_rates(item)
        percent = self.scored.labels is not None
        rows = []
        for position, label in enumerate(item.metrics.labels):
            values = item.metrics.by_group.iloc[position]
            cells = [_share(values[name]) if percent else _number(values[name]) for name in names]
            rows.append([label_text(label), f"{int(values['count']):,}", *cells])
        return [item.column, "Rows", *(metric_record(name).title for name in names)], rows

    def _figures(self) -> dict[str, list[StaticChart]]:
        """Return the charts by section."""
        import pandas as pd

        from core.charts import (
            Figure,
            StaticChart,
            calibration_chart,
            confusion_chart,
            curve_chart,
            residuals_chart,
        )

        scored, figures = self.scored, list[Figure]()
        counts = self._confusion()
        if scored.labels is None:
            values = curves(scored.y, scored.outputs, None)
            points = pd.DataFrame({"actual": values["actual"], "predicted": values["predicted"]})
            figures.append(Figure("residuals", partial(residuals_chart, points, "Predicted and actual values")))
        elif counts is not None and len(scored.labels) <= _MAX_DRAWN_CLASSES:
            right = sum(counts[code][code] for code in range(len(counts)))
            title = f"{right / len(scored.y):.1%} of {len(scored.y):,} rows are predicted correctly"
            figures.append(Figure("confusion", partial(confusion_chart, scored.labels, counts, title)))
        if self.positive is not None:
            label = self.positive.label
            code = (scored.labels or []).index(label)
            ordered = scored.outputs[:, [1 - code, code]]
            by_class = curves((scored.y == code).astype(np.intp), ordered, ["other", label])["classes"]
            if label in by_class:
                shown = by_class[label]
                roc = partial(
                    curve_chart,
                    shown["roc"]["fpr"],
                    shown["roc"]["tpr"],
                    x_title="False positive rate",
                    y_title="True positive rate",
                    title=f"ROC curve of {label}",
                    chance="diagonal",
                )
                figures.append(Figure("roc", roc))
                if shown.get("calibration"):
                    table = pd.DataFrame(shown["calibration"])
                    title = f"Probabilities of {label}, predicted and observed"
                    figures.append(Figure("calibration", partial(calibration_chart, table, title)))
        drawn = {"metrics": [StaticChart.of(figure) for figure in figures]}
        for item in self.fairness:
            drawn[item.column] = self._group_figures(item)
        return drawn

    def _group_figures(self, item: GroupComparison) -> list[StaticChart]:
        from core.charts import Figure, StaticChart, group_intervals_chart
        from core.fairness import label_text, metric_record

        charts = []
        for name in self._shown_rates(item)[:2]:
            table: pd.DataFrame = item.metrics.intervals.xs(name, level="metric").copy()
            table["group"] = [label_text(label) for label in item.metrics.labels]
            if not table["value"].notna().any():
                continue
            title, percent = metric_record(name).title, self.scored.labels is not None
            build = partial(group_intervals_chart, table, title, percent=percent, by=item.column)
            charts.append(StaticChart.of(Figure(name, build)))
        return charts


def _number(value: float | None) -> str:
    return "n/a" if value is None or not np.isfinite(value) else f"{value:,.4g}".replace("-", "−")


def _share(value: float) -> str:
    return "n/a" if not np.isfinite(value) else f"{value:.1%}"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("core.pipelines.shipped"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
