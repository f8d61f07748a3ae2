"""An objective in words, and the badges of its verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.edge.smallest import loss_text
from core.evaluation import METRICS
from core.units import latency_text
from pages._ui.badges import Badge

__all__ = ["VERDICTS", "objective_text"]

VERDICTS = {
    "met": Badge("Met", "green", ":material/check_circle:"),
    "unsure": Badge("Not sure", "orange", ":material/hourglass_empty:"),
    "missed": Badge("Missed", "red", ":material/cancel:"),
}
"""Badges of the verdicts on a limit or a candidate."""


def objective_text(settings: Mapping[str, Any]) -> str:
    """Write the limits of a search.

    Parameters
    ----------
    settings : mapping
        Stored settings of the search.

    Examples
    --------
    >>> objective_text({"latency_ms": 5.0, "percentile": 90, "max_loss": 0.01, "metric": "accuracy"})
    'p90 within 5 ms, loss of accuracy at most 1.0 points'
    >>> objective_text({})
    'no limits'
    """
    parts = []
    if settings.get("latency_ms") is not None:
        parts.append(f"p{settings.get('percentile', 90):g} within {latency_text(settings['latency_ms'])}")
    if settings.get("size_mb") is not None:
        parts.append(f"at most {settings['size_mb']:g} MB")
    if settings.get("max_loss") is not None:
        metric = str(settings.get("metric"))
        title = METRICS[metric].title if metric in METRICS else "quality"
        name = title if title.isupper() else title.lower()
        parts.append(f"loss of {name} at most {loss_text(settings['max_loss'], metric)}")
    return ", ".join(parts) or "no limits"
