"""The questions of a card, with their answers, who gave them and when."""

from __future__ import annotations

import streamlit as st

from core import models
from core.catalog import ModelVersion
from core.models import ModelCard, Question
from pages._ui import frame, numbers, written

__all__ = ["show"]


def show(card: ModelCard, version: ModelVersion) -> None:
    """Draw one form per section."""
    st.caption("Answers are stored with this version and shown on its card. An empty answer reopens the question.")
    _offer_earlier_answers(version)
    for section in card.sections:
        if section.questions:
            _form(version, section.key, section.title, [question for question, _ in section.questions])


def _offer_earlier_answers(version: ModelVersion) -> None:
    """Offer the answers of the newest earlier version to the questions that are open for this one."""
    known = models.versions(version.model_id, access=frame.access())
    earlier = next((other for other in known if other.number < version.number and other.answers), None)
    if earlier is None:
        return
    missing = {key: kept["text"] for key, kept in earlier.answers.items() if key not in version.answers}
    count = f"{len(missing)} answer{'s' * (len(missing) > 1)}"
    if missing and st.button(
        f"Copy {count} from version {earlier.number}",
        icon=":material/content_copy:",
        key=f"models-take-over-{version.id}",
        help="Read them again: what was true of that version may not be true of this one.",
    ):
        with frame.errors_shown():
            for key, text in missing.items():
                models.answer(version, key, text, access=frame.access())
            st.rerun()


def _form(version: ModelVersion, key: str, title: str, section_questions: list[Question]) -> None:
    open_count = sum(question.key not in version.answers for question in section_questions)
    with st.form(f"models-questions-{key}-{version.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{frame.plain(title)}**", width="content")
            if open_count:
                st.badge(f"{open_count} open", color="orange", icon=":material/help:")
            else:
                st.badge("Answered", color="green", icon=":material/check_circle:")
        given = {question.key: _field(version, question) for question in section_questions}
        if st.form_submit_button("Save", icon=":material/save:", key=f"models-save-{key}-{version.id}"):
            with frame.errors_shown():
                saved = [_save(version, question, given[question.key]) for question in section_questions]
                if all(saved):
                    st.rerun()


def _save(version: ModelVersion, question: Question, given: str | None) -> bool:
    """Store an answer that was changed here; return whether nothing is left to do.

    An answer that was changed elsewhere in the meantime is only replaced once the user has seen it.
    """
    text, stored = (given or "").strip(), version.answers.get(question.key, {}).get("text", "")
    key = _key(version, question)
    if text == stored or not written.edited(key, given):
        return True
    if written.overtaken(key, stored):
        frame.show_error(
            f"'{question.title}' was answered elsewhere in the meantime: {stored or '(nothing)'}",
            "Your answer is still in its field. Save again to replace the other one.",
        )
        return False
    models.answer(version, question.key, text, access=frame.access())
    return True


def _key(version: ModelVersion, question: Question) -> str:
    return f"models-answer-{version.id}-{question.key}"


def _field(version: ModelVersion, question: Question) -> str | None:
    stored = version.answers.get(question.key)
    key = _key(version, question)
    text = "" if stored is None else stored["text"]
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
    if stored is not None:
        by = f" by {frame.plain(stored['who'])}" if stored["who"] else ""
        st.caption(f"Answered{by} on {numbers.when(stored['at']):%d %b %Y, %H:%M}")
    return given
