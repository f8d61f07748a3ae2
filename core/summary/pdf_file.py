"""A summary as PDF, set by Typst with fonts of packages, so that every machine makes the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from core.charts import FONT_FAMILIES, FontCoverage, font_folders
from core.errors import ExportError
from core.summary.document import ResultSummary
from core.summary.wording import isolated

__all__ = ["render_pdf"]

_TEMPLATE = Path(__file__).parent / "templates" / "summary.typ"
_LISTED = 8


def render_pdf(summary: ResultSummary, drawings: Sequence[str]) -> bytes:
    """Return the summary as PDF; the same summary gives the same bytes.

    A character that no installed font has is drawn as a square, and a note says which.

    Parameters
    ----------
    summary : ResultSummary
        The summary.
    drawings : sequence of str
        Its charts as SVG, as `core.charts.svg_of` draws them, in the order of ``summary.charts``.

    Raises
    ------
    ExportError
        When it cannot be set.

    See Also
    --------
    render_html : The same as HTML.
    """
    import typst

    coverage = FontCoverage.of_fonts()
    missing: set[str] = set()
    remaining = iter(drawings)
    sections: list[JsonValue] = [
        {
            "title": section.title,
            "text": list(section.text),
            "missing": section.missing,
            "tables": [
                {
                    "columns": list(table.columns),
                    "rows": [list(row) for row in table.rows],
                    "numeric": list(table.numeric),
                }
                for table in section.tables
                if table.rows
            ],
            "charts": [
                {
                    "description": chart.description,
                    "svg": coverage.name_in_svg(str(coverage.replace_in(next(remaining), missing))),
                }
                for chart in section.charts
            ],
        }
        for section in summary.sections
    ]
    values: dict[str, JsonValue] = {
        "kind": summary.kind,
        "title": summary.title,
        "question": summary.question,
        "answer": summary.answer,
        "author": dict(summary.facts).get("Author", ""),
        "sections": sections,
        "facts": [list(fact) for fact in summary.facts],
    }
    data = {name: coverage.replace_in(_isolated_in(value), missing) for name, value in values.items()}
    data |= {"fonts": list(FONT_FAMILIES), "note": _note(missing)}
    try:
        content: bytes = typst.compile(
            str(_TEMPLATE),
            root=str(_TEMPLATE.parent),
            font_paths=[str(folder) for folder in font_folders()],
            ignore_system_fonts=True,
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        )
    except RuntimeError as error:
        raise ExportError(
            f"The PDF of '{summary.title}' could not be set: {str(error)[:300]}", "Take the HTML file, and print it."
        ) from error
    return content


def _isolated_in(value: JsonValue) -> JsonValue:
    """Return JSON values with right-to-left names isolated in each sentence; drawings stay as they are."""
    if isinstance(value, dict):
        return {key: item if key == "svg" else _isolated_in(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_isolated_in(item) for item in value]
    return isolated(value) if isinstance(value, str) else value


def _note(missing: set[str]) -> str:
    """Return which characters are squares; empty where all are drawn."""
    if not missing:
        return ""
    codes = ", ".join(f"U+{ord(character):04X}" for character in sorted(missing)[:_LISTED])
    more = f" and {len(missing) - _LISTED:,} more" if len(missing) > _LISTED else ""
    return f"Characters drawn as squares, because no installed font has them: {codes}{more}. The HTML file has them."
