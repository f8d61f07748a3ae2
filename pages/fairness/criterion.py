"""The choice of the fairness criterion, and three questions that lead to one."""

from __future__ import annotations

import streamlit as st

from core.fairness import CRITERION_QUESTIONS, DEFINITIONS, recommend_definition
from pages._ui import address

__all__ = ["choose"]

_KEY = "fairness-definition"


def choose(names: list[str]) -> str:
    """Draw the choice of one of the definitions of fairness."""
    shown = address.restore("criterion", names, names[0], _KEY)
    left, right = st.columns([3, 1], gap="medium", vertical_alignment="bottom")
    chosen = left.selectbox(
        "Fairness criterion",
        names,
        format_func=lambda name: f"{DEFINITIONS[name].title}: {DEFINITIONS[name].question}",
        key=_KEY,
    )
    with right.popover("Which one fits?", icon=":material/help:", key="fairness-questions", width="stretch"):
        _ask(names)
    address.keep("criterion", chosen, shown, _KEY)
    definition = DEFINITIONS[chosen]
    st.caption(f"{definition.when} {definition.misleads}")
    return chosen


def _ask(names: list[str]) -> None:
    """Draw the questions as far as they matter, and the criterion that the answers lead to."""
    answers: dict[str, str] = {}
    for question in CRITERION_QUESTIONS.values():
        answer = st.radio(
            question.text,
            list(question.answers),
            index=None,
            format_func=question.answers.__getitem__,
            key=f"fairness-question-{question.name}",
        )
        if answer is None:
            return
        answers[question.name] = answer
        recommendation = recommend_definition(answers)
        if recommendation is None:
            continue
        definition = recommendation.definition
        st.markdown(f"**{definition.title}.** {recommendation.reason}")
        if definition.misleads:
            st.caption(definition.misleads)
        if definition.name in names:
            st.button(
                "Use this criterion",
                type="primary",
                icon=":material/check:",
                key="fairness-use-criterion",
                on_click=_use,
                args=(definition.name,),
            )
        else:
            st.caption("It needs true outcomes, which this table does not have.")
        return


def _use(name: str) -> None:
    st.session_state[_KEY] = name
