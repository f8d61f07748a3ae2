"""The questions of a card, and their answers with who gave them and when."""

from __future__ import annotations

import streamlit as st

from core import models
from core.catalog import ModelVersion
from core.models import ModelCard, Question
from pages._ui import address, frame, numbers, written

__all__ = ["show"]


def show(card: ModelCard, version: ModelVersion) -> None:
    """Draw one form a section."""
    st.caption("Answers stay with this version and go onto its card. An empty answer makes the question open again.")
    _taken_over(version)
    for section in card.sections:
        if section.questions:
            _form(version, section.key, section.title, [question for question, _ in section.questions])


def _taken_over(version: ModelVersion) -> None:
    """Offer what was answered for the newest earlier version and is open for this one."""
    known = models.versions(version.model_id, workspace=frame.workspace())
    earlier = next((each for each in known if each.number < version.number and each.answers), None)
    if earlier is None:
        return
    missing = {key: kept["text"] for key, kept in earlier.answers.items() if key not in version.answers}
    count = f"{len(missing)} answer{'s' * (len(missing) > 1)}"
    if missing and st.button(
        f"Take over {count} of version {earlier.number}",
        icon=":material/content_copy:",
        key=f"models-take-over-{version.id}",
        help="Read them again: what was true of that version may not be of this one.",
    ):
        with frame.errors_shown():
            for key, text in missing.items():
                models.answer(version, key, text, who=address.who())
            st.rerun()


def _form(version: ModelVersion, key: str, title: str, asked: list[Question]) -> None:
    still_open = sum(question.key not in version.answers for question in asked)
    with st.form(f"models-questions-{key}-{version.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{frame.plain(title)}**", width="content")
            if still_open:
                st.badge(f"{still_open} open", color="orange", icon=":material/help:")
            else:
                st.badge("Answered", color="green", icon=":material/check_circle:")
        given = {question.key: _field(version, question) for question in asked}
        if st.form_submit_button("Save", icon=":material/save:", key=f"models-save-{key}-{version.id}"):
            with frame.errors_shown():
                if not [question for question in asked if not _saved(version, question, given[question.key])]:
                    st.rerun()


def _saved(version: ModelVersion, question: Question, given: str | None) -> bool:
    """Store an answer that was changed here; not where another one came meanwhile, unless the user knows of that."""
    text, kept = (given or "").strip(), version.answers.get(question.key, {}).get("text", "")
    key = _key(version, question)
    if text == kept or not written.edited(key, given):
        return True
    if written.overtaken(key, kept):
        frame.show_error(
            f"'{question.title}' was answered elsewhere meanwhile: {kept or '(nothing)'}",
            "Your answer is still in its field. Save again to put it in the place of that one.",
        )
        return False
    models.answer(version, question.key, text, who=address.who())
    return True


def _key(version: ModelVersion, question: Question) -> str:
    return f"models-answer-{version.id}-{question.key}"


def _field(version: ModelVersion, question: Question) -> str | None:
    kept = version.answers.get(question.key)
    key = _key(version, question)
    text = "" if kept is None else kept["text"]
    hint = question.help or None
    if question.kind == "choice":
        choices = list(question.choices)
        written.follow(key, text if text in choices else None)
        given = st.selectbox(
            question.title, choices, index=None, key=key, help=hint, placeholder="Not answered yet", width=320
        )
    elif question.kind == "line":
        written.follow(key, text)
        given = st.text_input(question.title, key=key, placeholder=hint, max_chars=10_000)
    else:
        written.follow(key, text)
        given = st.text_area(question.title, key=key, placeholder=hint, max_chars=10_000, height=90)
    if kept is not None:
        by = f" by {frame.plain(kept['who'])}" if kept["who"] else ""
        st.caption(f"Answered{by} on {numbers.when(kept['at']):%d %b %Y, %H:%M}")
    return given
