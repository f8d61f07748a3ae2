"""The model card of an edge bundle: what was measured for its variant, and the questions that are not answered yet."""

from __future__ import annotations

from core.edge.bundle.render import render
from core.edge.variants.record import ExportRecord
from core.evaluation import METRICS

__all__ = ["bundle_card"]


def bundle_card(record: ExportRecord, variant: str) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    record : ExportRecord
        The exported model with its variants.
    variant : str
        Name of the variant.

    Raises
    ------
    InputError
        When there is no such variant.
    """
    titles = {name: metric.title for name, metric in METRICS.items()}
    return render("model_card.md.jinja", record=record, variant=record.variant(variant), titles=titles)
