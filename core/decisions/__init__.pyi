from .curve import DecisionCurve, decision_curve
from .labeled_scores import LabeledScores
from .outcome import Best, Outcome
from .predicted_numbers import TopValues, top_values
from .top_rows import TopRows

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
