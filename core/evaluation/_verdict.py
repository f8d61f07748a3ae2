"""A sentence about whether a model is better than its baselines."""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.evaluation._estimates import Estimate

__all__ = ["verdict_sentence"]


def verdict_sentence(
    title: str, differences: Mapping[str, Estimate], names: Mapping[str, str], rows: str = "rows"
) -> str:
    """Compare a model with its baselines in words; a difference without an interval gives no verdict.

    Parameters
    ----------
    title : str
        Title of the metric.
    differences : mapping of Estimate
        Model minus baseline by baseline, larger being better for the model.
    names : mapping of str
        Names of the baselines; others are passed over.
    rows : str, default="rows"
        Word for what the model was tested on.

    Examples
    --------
    >>> few = Estimate(0.2, None, None, 1000, 3, "no interval: the test has only 3 rows of 'fraud'")
    >>> verdict_sentence("AUC", {"prior": few}, {"prior": "guessing"})
    "No verdict: the test has only 3 rows of 'fraud'."
    >>> verdict_sentence("AUC", {"prior": Estimate(-0.2, -0.3, -0.1, 1000)}, {"prior": "guessing"})
    'Worse than guessing by 0.200 AUC [0.100, 0.300], on 1,000 rows it never saw.'
    >>> verdict_sentence("Accuracy", {"prior": Estimate(0.0, -0.036, 0.036, 82)}, {"prior": "guessing"})
    'Not different from guessing (the same Accuracy, to within 0.036), on 82 rows it never saw.'
    """
    parts, unknown, reasons = [], [], []
    for key, name in names.items():
        if key not in differences:
            continue
        gain = differences[key]
        if gain.low is None or gain.high is None:
            unknown.append(name)
            reasons.append(gain.reason.removeprefix("no interval: ") or "the difference has no interval")
            continue
        decimals = _decimals(gain.value)
        low, high = (-gain.high, -gain.low) if gain.high < 0 else (gain.low, gain.high)
        interval = _minus(f"[{low:,.{decimals}f}, {high:,.{decimals}f}]")
        size = f"{abs(gain.value):,.{decimals}f} {title}"
        if gain.low > 0:
            parts.append(f"better than {name} by {size} {interval}")
        elif gain.high < 0:
            parts.append(f"worse than {name} by {size} {interval}")
        elif gain.value == 0:  # such as no row on which only one of both is right
            within = max(high, -low)
            parts.append(f"not different from {name} (the same {title}, to within {within:,.{_decimals(within)}f})")
        else:
            change = _minus(f"{gain.value:+,.{decimals}f}")
            parts.append(f"not clearly different from {name} ({change} {title} {interval})")
    if not parts and not unknown:
        return f"No verdict: no {rows} were held out for a test."
    if not parts:
        return f"No verdict: {reasons[0]}."
    text = ", and ".join(parts)
    sentence = f"{text[0].upper()}{text[1:]}, on {next(iter(differences.values())).n:,} {rows} it never saw."
    return sentence + (f" No verdict against {unknown[0]}: {reasons[0]}." if unknown else "")


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _decimals(value: float) -> int:
    """Return how many decimals show three digits of a small value; three of one below 10, one of a larger one."""
    if abs(value) >= 10:
        return 1
    return 3 if value == 0 or math.isnan(value) or abs(value) >= 0.001 else 2 - math.floor(math.log10(abs(value)))
