"""The numbers of a report for other programs: flat JSON, and the text format of Prometheus."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import SettingsError
from core.jsonable import JsonObject
from core.monitoring.drift_report import DriftReport
from core.monitoring.look_states import LOOK_STATES, LookState
from core.monitoring.measured_performance import MeasuredPerformance
from core.monitoring.performance_estimate import PerformanceEstimate

__all__ = ["MetricSample", "metrics_json", "monitoring_metrics", "prometheus_text"]

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_HELP = {
    "plumbline_batch_rows": "Rows of the batch.",
    "plumbline_drifted_columns": "Columns that drifted.",
    "plumbline_drift_share": "Share of the compared columns that drifted.",
    "plumbline_column_effect": "Size of the change of a column, from 0 to 1.",
    "plumbline_column_p_adjusted": "P-value of a column, adjusted over all columns.",
    "plumbline_column_missing_share": "Share of missing cells of a column.",
    "plumbline_column_drifted": "Whether a column drifted.",
    "plumbline_score_effect": "Size of the change of the model's score, from 0 to 1.",
    "plumbline_score_drifted": "Whether the model's score drifted.",
    "plumbline_data_alerts": "Alerts about the batch as data.",
    "plumbline_performance": "A metric of the model on the batch, estimated or measured.",
    "plumbline_performance_low": "Lower bound of the metric.",
    "plumbline_performance_high": "Upper bound of the metric.",
    "plumbline_gap": "Largest gap of a rate between two groups.",
    "plumbline_gap_low": "Lower bound of the gap.",
    "plumbline_gap_high": "Upper bound of the gap.",
    "plumbline_state": "State of the batch: 0 fine, 1 not enough data, 2 worth a look, 3 alarm.",
}
"""Names of the metrics that are exported, and what they mean."""
_OWN_LABELS = ("column", "metric", "source", "rate", "groups")


@dataclass(frozen=True)
class MetricSample:
    """A number of a report.

    Parameters
    ----------
    name : str
        Name of the metric.
    value : float
        Its value.
    labels : mapping of str to str
        Labels, such as the column.
    """

    name: str
    value: float
    labels: Mapping[str, str]


def monitoring_metrics(
    report: DriftReport,
    *,
    performance: tuple[PerformanceEstimate | MeasuredPerformance, ...] = (),
    state: LookState | None = None,
    gaps: Mapping[str, Mapping[str, tuple[float, float | None, float | None]]] | None = None,
    labels: Mapping[str, str] | None = None,
) -> tuple[MetricSample, ...]:
    """Return the numbers of a batch's report as metrics with labels.

    Parameters
    ----------
    report : DriftReport
        Comparison of the batch with its reference.
    performance : tuple of PerformanceEstimate or MeasuredPerformance, default=()
        Performance of the batch. What was refused has no metric.
    state : LookState, optional
        State of the batch.
    gaps : mapping, optional
        Gaps between groups with the ends of their intervals, by rate and column of groups.
    labels : mapping of str to str, optional
        Labels that all metrics get, such as the model's name.

    Raises
    ------
    SettingsError
        When the name of a label is not one that Prometheus takes, or has a meaning here already.

    See Also
    --------
    prometheus_text, metrics_json : Write them.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.monitoring import compare
    >>> frame = pd.DataFrame({"age": [0.5 * number for number in range(100)]})
    >>> samples = monitoring_metrics(compare(frame, frame), labels={"model": "churn"})
    >>> samples[0]
    MetricSample(name='plumbline_batch_rows', value=100, labels={'model': 'churn'})
    """
    common = dict(labels or {})
    for name in common:
        if not _LABEL.fullmatch(name) or name.startswith("__") or name in _OWN_LABELS:
            raise SettingsError(
                f"The label '{name}' cannot be used.",
                f"Use letters, digits and underscores, and none of {', '.join(map(repr, _OWN_LABELS))}.",
            )

    def sample(name: str, value: float | None, **own: str) -> list[MetricSample]:
        return [] if value is None or math.isnan(value) else [MetricSample(f"plumbline_{name}", value, common | own)]

    samples = [
        *sample("batch_rows", report.current_rows),
        *sample("drifted_columns", len(report.drifted_columns)),
        *sample("drift_share", report.drift_share),
        *sample("data_alerts", sum(finding.level == "alert" for finding in report.data_quality)),
    ]
    for result in report.results:
        samples += sample("column_effect", result.effect, column=result.name)
        samples += sample("column_p_adjusted", result.p_adjusted, column=result.name)
        samples += sample("column_missing_share", result.missing_current, column=result.name)
        samples += sample("column_drifted", float(result.drifted), column=result.name)
    if report.score is not None:
        samples += sample("score_effect", report.score.effect)
        samples += sample("score_drifted", float(report.score.drifted))
    for item in performance:
        measured = isinstance(item, MeasuredPerformance)
        values = item.measured if isinstance(item, MeasuredPerformance) else item
        own = {"metric": item.metric, "source": "measured" if measured else "estimated"}
        samples += sample("performance", values.value, **own)
        samples += sample("performance_low", values.low, **own)
        samples += sample("performance_high", values.high, **own)
    for rate, by_column in (gaps or {}).items():
        for column, values_of_gap in by_column.items():
            for name, value in zip(("gap", "gap_low", "gap_high"), values_of_gap, strict=True):
                samples += sample(name, value, rate=rate, groups=column)
    if state is not None:
        samples += sample("state", float(list(LOOK_STATES).index(state.state)))
    return tuple(samples)


def metrics_json(samples: tuple[MetricSample, ...]) -> JsonObject:
    """Return metrics as a flat JSON object: keys are names with their labels, values are numbers.

    Parameters
    ----------
    samples : tuple of MetricSample
        Metrics of `monitoring_metrics`.

    Examples
    --------
    >>> metrics_json((MetricSample("plumbline_column_effect", 0.2, {"column": "age"}),))
    {'plumbline_column_effect{column="age"}': 0.2}
    """
    return {f"{sample.name}{_labels(sample.labels)}": sample.value for sample in samples}


def prometheus_text(samples: tuple[MetricSample, ...]) -> str:
    r"""Return metrics in the text format of Prometheus (version 0.0.4): gauges, with escaped labels.

    Parameters
    ----------
    samples : tuple of MetricSample
        Metrics of `monitoring_metrics`.

    Examples
    --------
    >>> print(prometheus_text((MetricSample("plumbline_column_drifted", 1.0, {"column": 'a "b"'}),)), end="")
    # HELP plumbline_column_drifted Whether a column drifted.
    # TYPE plumbline_column_drifted gauge
    plumbline_column_drifted{column="a \"b\""} 1
    """
    lines = []
    for name in dict.fromkeys(sample.name for sample in samples):
        if not _NAME.fullmatch(name):
            raise SettingsError(f"The metric '{name}' cannot be exported.", "Use letters, digits and underscores.")
        lines += [f"# HELP {name} {_HELP.get(name, name)}", f"# TYPE {name} gauge"]
        lines += [
            f"{name}{_labels(sample.labels)} {_number(sample.value)}" for sample in samples if sample.name == name
        ]
    return "\n".join(lines) + "\n" if lines else ""


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    escaped = (
        f'{name}="{value}"'
        for name, value in (
            (name, value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"'))
            for name, value in labels.items()
        )
    )
    return f"{{{','.join(escaped)}}}"


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
