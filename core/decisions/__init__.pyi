from .curve import Best, DecisionCurve, Outcome, TopRows, decision_curve
from .labeled_scores import LabeledScores
from .predicted_numbers import TopValues, top_values

__all__ = [
    "Best",
    "DecisionCurve",
    "LabeledScores",
    "Outcome",
    "TopRows",
    "TopValues",
    "decision_curve",
    "top_values",
]
