"""A card as one HTML file: no script, nothing loaded from elsewhere, light or dark as the reader's system is."""

from __future__ import annotations

from html import escape
from typing import Any

from core.models._card import CardTable, ModelCard, Section
from core.models._card_text import format_value
from core.models._questions import NOT_ANSWERED

__all__ = ["html"]

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5a6773;--line:#dde3e9;--paper:#fff;--gap:#8a4b00;--tint:#f4f6f8}
@media (prefers-color-scheme:dark){
:root{--ink:#e3e8ee;--soft:#9aa7b4;--line:#33404d;--paper:#141b22;--gap:#f0b35a;--tint:#1c252e}}
*{box-sizing:border-box}body{font:15px/1.55 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;
color:var(--ink);background:var(--paper)}h1{line-height:1.2}h2{margin-top:2.2rem;border-bottom:1px solid var(--line)}
.table{overflow-x:auto}table{border-collapse:collapse;margin:.8rem 0;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.2rem 0}th,td{border-bottom:1px solid var(--line);padding:.3rem .7rem;
text-align:left;vertical-align:top}td.n{text-align:right}th{color:var(--soft);font-weight:600}dt{font-weight:600;
margin-top:.7rem}dd{margin:.1rem 0 0;white-space:pre-wrap;overflow-wrap:anywhere}.gap{color:var(--gap);
font-style:italic}.lead{font-size:1.1rem}.soft{color:var(--soft)}td{overflow-wrap:break-word;max-width:36rem}
@media print{body{margin:0;max-width:none}}
"""


def html(card: ModelCard) -> str:
    """Return the file's text."""
    rows = tuple(
        (row.framework, row.item, row.about, row.status, "; ".join(row.lacks) or None) for row in card.coverage
    )
    covered = CardTable("", ("Framework", "Item", "About", "Status", "Not there"), rows)
    gaps = len(card.gaps)
    body = [
        f"<h1>{escape(card.title)}</h1>",
        f'<p class="lead">{escape(card.summary)}</p>',
        f'<p class="gap">{gaps} questions are not answered yet.</p>' if gaps else "",
        *map(_section, card.sections),
        "<h2>What the card has on two frameworks</h2>",
        '<p class="soft">It says what is there, not whether that is enough: that is for people to judge.</p>',
        _table(covered),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(card.title)}</title><style>{_STYLE}</style></head>\n<body><main>\n"
        + "\n".join(part for part in body if part)
        + "\n</main></body></html>\n"
    )


def _section(section: Section) -> str:
    parts = [f'<h2 id="{escape(section.key)}">{escape(section.title)}</h2>']
    if section.text:
        parts.append("<ul>" + "".join(f"<li>{escape(text)}</li>" for text in section.text) + "</ul>")
    parts += [_table(table) for table in section.tables if table.rows]
    if section.questions:
        asked = "".join(
            f"<dt>{escape(question.title)}</dt>"
            + (f'<dd class="gap">{NOT_ANSWERED}</dd>' if answer is None else f"<dd>{escape(answer)}</dd>")
            for question, answer in section.questions
        )
        parts.append(f"<dl>{asked}</dl>")
    return "\n".join(parts)


def _table(table: CardTable) -> str:
    caption = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    named = any(name.strip() for name in table.columns)
    head = "<tr>" + "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns) + "</tr>" if named else ""
    rows = "".join("<tr>" + "".join(_cell(value, named) for value in row) + "</tr>" for row in table.rows)
    return f'<div class="table"><table>{caption}<thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _cell(value: Any, aligned: bool) -> str:
    number = aligned and isinstance(value, int | float) and not isinstance(value, bool)
    return f"<td{' class=n' if number else ''}>{escape(format_value(value))}</td>"
