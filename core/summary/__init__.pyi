from .batch_summary import summarize_batch
from .document import ResultSummary, SummaryNotes, SummarySection, SummaryTable
from .fairness_summary import summarize_fairness
from .html_file import render_html
from .model_summary import summarize_model
from .pdf_file import render_pdf

__all__ = [
    "ResultSummary",
    "SummaryNotes",
    "SummarySection",
    "SummaryTable",
    "render_html",
    "render_pdf",
    "summarize_batch",
    "summarize_fairness",
    "summarize_model",
]
