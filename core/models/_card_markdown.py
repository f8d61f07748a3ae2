"""A card as Markdown, as Hugging Face shows it; nothing that a table or a person brought in becomes markup."""

from __future__ import annotations

import re
from typing import Any

from core.models._card import CardTable, ModelCard
from core.models._card_text import format_value
from core.models._questions import NOT_ANSWERED

__all__ = ["markdown"]

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~$&!])")


def markdown(card: ModelCard) -> str:
    """Return the card with its metadata in front."""
    import yaml

    front = yaml.safe_dump(dict(card.metadata), sort_keys=False, allow_unicode=True, width=10_000)
    parts = [f"---\n{front}---\n", f"# {_plain(card.title)}", _plain(card.summary)]
    for section in card.sections:
        parts.append(f"## {_plain(section.title)}")
        if section.text:
            parts.append("\n".join(f"- {_plain(text)}" for text in section.text))
        parts += [_table(table) for table in section.tables if table.rows]
        for question, answer in section.questions:
            reply = f"*{NOT_ANSWERED}*" if answer is None else _quoted(answer)
            parts.append(f"**{_plain(question.title)}**\n\n{reply}")
    rows = tuple(
        (row.framework, row.item, row.about, row.status, "; ".join(row.lacks) or None) for row in card.coverage
    )
    parts.append("## What the card has on two frameworks")
    parts.append("It says what is there, not whether that is enough: that is for people to judge.")
    parts.append(_table(CardTable("", ("Framework", "Item", "About", "Status", "Not there"), rows)))
    return "\n\n".join(parts) + "\n"


def _plain(value: Any) -> str:
    """Return a text on one line with all marks escaped."""
    return _MARKS.sub(r"\\\1", " ".join(format_value(value).split()))


def _quoted(answer: str) -> str:
    """Return an answer as a quotation, its lines kept."""
    return "\n".join(f"> {_plain(line)}" if line.strip() else ">" for line in answer.splitlines())


def _table(table: CardTable) -> str:
    lines = [f"### {_plain(table.title)}\n"] if table.title else []
    lines.append("| " + " | ".join(map(_plain, table.columns)) + " |")
    lines.append("|" + "---|" * len(table.columns))
    lines += ["| " + " | ".join(map(_plain, row)) + " |" for row in table.rows]
    return "\n".join(lines)
