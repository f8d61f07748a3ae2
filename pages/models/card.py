"""The tab Card: what was measured, what people answered, and what is open."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from core import models
from core.models import CardTable, CoverageRow, ModelCard, Section, format_value
from pages._ui import address, charts, downloads, frame, theme
from pages.models import questions
from pages.models.metrics import OpenModel

__all__ = ["show"]

_COLORS = {"evidence present": "green", "asked": "orange", "missing": "gray"}


def show(opened: OpenModel) -> None:
    """Draw the card, its questions, or its coverage."""
    version = opened.version
    card = models.card(version.id, access=frame.access())
    total = sum(len(section.questions) for section in card.sections)
    open_count = len(card.gaps)
    if open_count:
        st.subheader(f"{open_count} of {total} questions that only people can answer are open")
    else:
        st.subheader(f"All {total} questions are answered")
    views = {"read": "Card", "questions": f"Questions ({open_count} open)", "coverage": "Coverage"}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = address.restore("view", list(views), "read", "models-card-view")
        view = st.radio(
            "Show",
            list(views),
            format_func=views.__getitem__,
            horizontal=True,
            key="models-card-view",
            label_visibility="collapsed",
        )
        address.keep("view", view, shown, "models-card-view")
        st.space("stretch")
        _downloads(card)
    if view == "questions":
        questions.show(card, version)
    elif view == "coverage":
        _coverage(card)
    else:
        _read(card)


def _downloads(card: ModelCard) -> None:
    formats = {
        "Markdown": (card.to_markdown, ".md", "text/markdown", "With Hugging Face's metadata, as a README.md there."),
        "HTML": (card.to_html, ".html", "text/html", "One file that loads no other, to read or print."),
        "JSON": (card.to_json, ".json", "application/json", "For programs."),
    }
    for label, (render, suffix, mime, explanation) in formats.items():
        downloads.button(
            label,
            partial(_encoded, render),
            file_name=downloads.file_name(f"{card.title} card", suffix),
            mime=mime,
            icon=":material/download:",
            help=explanation,
            key=f"models-card{suffix.replace('.', '-')}",
            on_click="ignore",
        )


def _encoded(make: Callable[[], str]) -> bytes:
    return make().encode()


def _read(card: ModelCard) -> None:
    st.markdown(frame.plain(card.summary))
    for section in card.sections:
        st.markdown(f"### {frame.plain(section.title)}")
        _section(section)


def _section(section: Section) -> None:
    bullet = "- " if len(section.text) > 1 else ""
    for text in section.text:
        st.markdown(f"{bullet}{frame.plain(text)}")
    _figures(section)
    for table in section.tables:
        if table.rows:
            _card_table(table)
    if not section.questions:
        return
    for question, answer in section.questions:
        if answer is not None:
            st.markdown(f"**{frame.plain(question.title)}**")
            st.text(answer)
    unanswered = [question for question, answer in section.questions if answer is None]
    if unanswered:
        with st.container(border=True, gap="small"):
            for question in unanswered:
                st.markdown(f":orange-badge[:material/help: Not answered yet] {frame.plain(question.title)}")


def _figures(section: Section) -> None:
    """Draw the charts of a section, two beside each other where there are several."""
    columns = st.columns(min(2, len(section.figures)), gap="medium") if section.figures else []
    for position, figure in enumerate(section.figures):
        with columns[position % 2]:
            charts.draw_kept(figure.build, theme.palette())


def _card_table(table: CardTable) -> None:
    if not any(name.strip() for name in table.columns):  # facts: a name and a value
        st.table(
            {frame.plain(name): frame.plain(_short(format_value(value))) for name, value in table.rows},
            border="horizontal",
            width="content",
            alt=table.title or "Facts",
        )
        return
    if table.title:
        st.markdown(f"**{frame.plain(table.title)}**")
    shown = pd.DataFrame(table.rows, columns=[name or " " for name in table.columns])
    config = {}
    for name in shown.columns:
        types = {type(value) for value in shown[name] if value is not None}
        if types == {int}:
            config[name] = st.column_config.NumberColumn(format="localized")
        elif types and types <= {int, float}:
            config[name] = st.column_config.NumberColumn(format=_digits(shown[name].dropna()))
        else:
            shown[name] = [None if value is None else format_value(value) for value in _cells(table, name)]
    st.dataframe(
        shown,
        hide_index=True,
        height="content" if len(shown) <= 25 else 600,
        placeholder="–",
        column_config=config,
        alt=table.title or "Values",
    )


def _short(text: str) -> str:
    """Shorten a long text without spaces, such as a fingerprint; the tab Lineage and the downloads have all of it."""
    return f"{text[:16]} …" if len(text) > 40 and " " not in text else text


def _digits(values: pd.Series) -> str:
    """Return a format that lines up decimal points, where it does not hide any digits that count."""
    return "%.4f" if values.map(lambda value: value == 0 or 5e-4 <= abs(value) < 10).all() else "%.4g"


def _cells(table: CardTable, name: str) -> list[object]:
    """Return the cells of a column with their own types, which a frame would change."""
    index = [column or " " for column in table.columns].index(name)
    return [row[index] for row in table.rows]


def _coverage(card: ModelCard) -> None:
    st.caption(frame.plain(card.coverage_note))
    for framework in dict.fromkeys(row.framework for row in card.coverage):
        part = [row for row in card.coverage if row.framework == framework]
        counts = {status: sum(row.status == status for row in part) for status in _COLORS}
        st.markdown(
            f"**{frame.plain(framework)}**: of {len(part)} items {counts['evidence present']} have evidence, "
            f"{counts['asked']} await an answer, {counts['missing']} are missing"
        )
        st.dataframe(
            pd.DataFrame([_coverage_row(row) for row in part]),
            hide_index=True,
            height="content",
            placeholder="–",
            column_config={
                "Item": st.column_config.TextColumn(width="small"),
                "On the card": st.column_config.TextColumn(width="medium"),
                "Status": st.column_config.MultiselectColumn(options=list(_COLORS), color=list(_COLORS.values())),
                "Missing": st.column_config.TextColumn(width="large"),
            },
            alt=f"Coverage of {framework}",
        )


def _coverage_row(row: CoverageRow) -> dict[str, object]:
    lacks = "; ".join(row.lacks) if row.where else "This card has nothing about it"
    return {
        "Item": row.item,
        "About": row.about,
        "Status": [row.status],
        "On the card": "; ".join(name for name in row.where if name not in row.lacks) or None,
        "Missing": lacks or None,
    }
