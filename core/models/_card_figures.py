"""Charts of a card: how good the model is, what it relies on, and how groups compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from pydantic import JsonValue

from core.charts import (
    DrawnChart,
    Figure,
    Palette,
    bar_chart,
    calibration_chart,
    confusion_chart,
    group_intervals_chart,
    intervals_chart,
    residuals_chart,
)
from core.evaluation import METRICS
from core.models._card_text import Cell
from core.models._evidence import RunEvidence

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BASELINE_TITLES", "evaluation_figures", "group_figures", "importance_figures"]

BASELINE_TITLES: Mapping[str, str] = {
    "prior": "Guessing",
    "majority": "Guessing",
    "linear": "Linear model",
    "tfidf": "TF-IDF with a linear model",
}
"""Short names of baselines, for tables and charts."""

_MAX_CLASSES = 12
_MAX_POINTS = 1_000
_MAX_BARS = 10


def evaluation_figures(evidence: RunEvidence) -> tuple[Figure, ...]:
    """Return the charts of the test rows: baselines, actual against predicted, calibration of two classes."""
    figures = [_baselines(evidence), _errors(evidence), _calibration(evidence)]
    return tuple(figure for figure in figures if figure is not None)


def _baselines(evidence: RunEvidence) -> Figure | None:
    result = evidence.result
    name = result.metric
    models = {"This model": result.test_metrics.get(name)}
    models |= {BASELINE_TITLES.get(key, key): metrics.get(name) for key, metrics in result.baseline_metrics.items()}
    known = {
        title: {"value": item.value, "low": item.low, "high": item.high, "n": item.n}
        for title, item in models.items()
        if item is not None and item.value is not None
    }
    if "This model" not in known:
        return None
    title = METRICS[name].title + ("" if METRICS[name].larger_is_better else " (smaller is better)")
    return Figure("baselines", partial(intervals_chart, known, title))


def _errors(evidence: RunEvidence) -> Figure | None:
    result, labels = evidence.result, evidence.labels
    noun = "texts" if evidence.reads_text else "rows"
    if labels is None:
        test = evidence.test
        points = test[[evidence.target, "prediction"]].astype(float).set_axis(["actual", "predicted"], axis=1)
        error = float(np.abs(points["actual"] - points["predicted"]).mean())
        title = f"Predictions of {len(points):,} test {noun} are off by {error:,.4g} on average"
        if len(points) > _MAX_POINTS:
            points = points.sample(_MAX_POINTS, random_state=0)
            title = f"{title} ({_MAX_POINTS:,} of them drawn)"
        return Figure("residuals", partial(residuals_chart, points, title))
    if not result.confusion or len(labels) > _MAX_CLASSES:
        return None
    counts = result.confusion
    right, total = sum(counts[index][index] for index in range(len(counts))), sum(map(sum, counts))
    title = f"{right / total:.1%} of {total:,.0f} test {noun} are predicted correctly"
    return Figure("confusion", partial(confusion_chart, labels, counts, title))


def _calibration(evidence: RunEvidence) -> Figure | None:
    import pandas as pd

    by_class = evidence.result.curves.get("classes")
    if not isinstance(by_class, dict) or len(by_class) != 1:
        return None
    (name, curves) = next(iter(by_class.items()))
    points = curves.get("calibration") if isinstance(curves, dict) else None
    if not points:
        return None
    table = pd.DataFrame(points)
    inside = int(((table["low"] <= table["predicted"]) & (table["predicted"] <= table["high"])).sum())
    title = f"Probabilities of {name} agree with the observed share in {inside} of {len(table)} bins"
    return Figure("calibration", partial(calibration_chart, table, title))


def importance_figures(rows: Sequence[tuple[Cell, ...]], metric: str) -> tuple[Figure, ...]:
    """Return the importance of columns as bars (rows: column, importance, from, to, rows)."""
    import pandas as pd

    table = pd.DataFrame(list(rows), columns=["name", "value", "low", "high", "n"])
    title = METRICS[metric].title
    heading = f"Loss of {title} when a column is shuffled, with 95% intervals"
    draw = partial(bar_chart, table, f"Drop of {title}", heading, max_bars=_MAX_BARS)
    return (Figure("importance", draw),)


def group_figures(facts: Mapping[str, JsonValue]) -> tuple[Figure, ...]:
    """Return the first metric of each group, one chart for each sensitive column (facts as the card has them)."""
    figures = []
    for column, groups in facts.items():
        assert isinstance(groups, dict)
        table, name = _group_table(groups)
        if table["value"].notna().any():
            figures.append(Figure(f"groups:{column}", partial(_draw_groups, table, name, column)))
    return tuple(figures)


def _group_table(groups: Mapping[str, JsonValue]) -> tuple[pd.DataFrame, str]:
    """Return the intervals of the first metric by group, and the name of the metric."""
    import pandas as pd

    from core.fairness import MIN_GROUP_SIZE

    lines, metric = [], ""
    for label, values in groups.items():
        assert isinstance(values, dict)
        metric = next(name for name in values if name != "count")
        parts, count = values[metric], values["count"]
        assert isinstance(parts, dict)
        assert isinstance(count, int)
        lines.append({"group": label, **parts, "small": count < MIN_GROUP_SIZE})
    table = pd.DataFrame(lines)
    return table.astype(dict.fromkeys(("value", "low", "high", "n"), float)), metric


def _draw_groups(table: pd.DataFrame, metric: str, column: str, palette: Palette) -> DrawnChart:
    from core.fairness import metric_record

    record = metric_record(metric)
    return group_intervals_chart(table, record.title, palette, percent=record.unit == "share", by=f"'{column}'")
