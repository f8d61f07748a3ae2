"""A summary as one HTML file that loads no other, with styles for paper; nothing in a value becomes markup."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from core.charts import inline_svg
from core.summary.document import ResultSummary
from core.summary.wording import isolated

__all__ = ["render_html"]


def render_html(summary: ResultSummary, drawings: Sequence[str]) -> str:
    """Return the summary as HTML.

    Parameters
    ----------
    summary : ResultSummary
        The summary.
    drawings : sequence of str
        Its charts as SVG, as `core.charts.svg_of` draws them, in the order of ``summary.charts``.
    """
    remaining = iter(drawings)
    figures = {
        section.key: [(chart.description, Markup(inline_svg(next(remaining)))) for chart in section.charts]
        for section in summary.sections
    }
    return _environment().get_template("summary.html.jinja").render(summary=summary, figures=figures)


def _as_text(value: object) -> object:
    return isolated(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("core.summary"),
        autoescape=True,
        finalize=_as_text,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
