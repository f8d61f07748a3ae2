"""What drives the predictions: the columns that the model relies on."""

from __future__ import annotations

from core.charts import StaticChart
from core.models import ModelCard, RunEvidence
from core.summary.document import SummarySection

__all__ = ["drivers_section"]

_TITLE = "What drives the predictions"
_MAX_NAMED = 5


def drivers_section(evidence: RunEvidence, card: ModelCard) -> SummarySection:
    """Return the section."""
    if evidence.reads_text:
        reason = f"The model reads one text, in '{evidence.features[0]}', so there are no columns to compare."
        return SummarySection("drivers", _TITLE, missing=reason)
    section = card["explanation"]
    if not section.tables:
        failed = (evidence.run.result or {}).get("explain_error")
        return SummarySection(
            "drivers", _TITLE, missing=str(failed) if failed else "The model was not explained; its page can do it."
        )
    rows = section.tables[0].rows
    clear = [str(name) for name, _, low, _, _ in rows if isinstance(low, float) and low > 0][:_MAX_NAMED]
    names = ", ".join(f"'{name}'" for name in clear)
    text = [
        f"The model relies most on {names}." if clear else "No single column makes a clear difference.",
        *section.text,
    ]
    charts = tuple(StaticChart.of(figure) for figure in section.figures)
    return SummarySection("drivers", _TITLE, tuple(text), charts=charts)
