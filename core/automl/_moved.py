"""Names that live in `core.evaluation` and can still be imported from `core.automl`."""

from core.evaluation import METRICS, Comparison, Estimate, Metric, metric_choices

__all__ = ["METRICS", "Comparison", "Estimate", "Metric", "metric_choices"]
