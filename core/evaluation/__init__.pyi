from ._bounds import area_bounds
from ._curves import by_threshold, calibration, confusion, curves
from ._estimates import MIN_UNITS, Comparison, Estimate, compare_outputs, effective_rows, estimate
from ._groups import group_name, groups_in, weight_name, weights_in
from ._intervals import kish, mover, mover_ratio, normal_quantile, wilson
from ._metrics import METRICS, Metric, Sums, metric_choices, resolve_metric
from ._statistics import LABEL_THRESHOLD, ConfusionCounts, ErrorSums, LogLosses, Rankings
from ._test_split import split_test, stratify
from ._verdict import verdict_sentence
from ._weighted import WeightedMetrics, compute_metric, compute_metrics, families_of

__all__ = [
    "LABEL_THRESHOLD",
    "METRICS",
    "MIN_UNITS",
    "Comparison",
    "ConfusionCounts",
    "ErrorSums",
    "Estimate",
    "LogLosses",
    "Metric",
    "Rankings",
    "Sums",
    "WeightedMetrics",
    "area_bounds",
    "by_threshold",
    "calibration",
    "compare_outputs",
    "compute_metric",
    "compute_metrics",
    "confusion",
    "curves",
    "effective_rows",
    "estimate",
    "families_of",
    "group_name",
    "groups_in",
    "kish",
    "metric_choices",
    "mover",
    "mover_ratio",
    "normal_quantile",
    "resolve_metric",
    "split_test",
    "stratify",
    "verdict_sentence",
    "weight_name",
    "weights_in",
    "wilson",
]
