"""The button that makes a summary of a result to hand on, and its downloads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from core.catalog import Dataset, Run, RunState, artifacts, models
from core.storage import get_store
from core.summary import ResultSummary, SummaryNotes
from core.tasks import summary
from pages._ui import downloads, frame, keys, numbers, run_view

__all__ = ["show", "show_comparison"]

_FILES = {
    "PDF": ("summary.pdf", ".pdf", "application/pdf", "For mail and paper."),
    "HTML": ("summary.html", ".html", "text/html", "One file that loads no other, to read or print."),
}
_LIMITS = {name: field.metadata[0].max_length for name, field in SummaryNotes.model_fields.items()}


def show(run: Run) -> None:
    """Draw the popover that makes the summary of a search or a training."""
    versions = models.of_run(run.id, access=frame.access())
    answers = {} if not versions else {key: str(item["text"]) for key, item in versions[-1].answers.items()}
    _popover(
        run.id,
        answers,
        summary.latest(run, access=frame.access()),
        lambda notes: summary.submit(run, notes, access=frame.access()),
    )


def show_comparison(key: str, dataset: Dataset, contents: Callable[[SummaryNotes], ResultSummary]) -> None:
    """Draw the popover that makes the summary of a comparison of groups.

    Parameters
    ----------
    key : str
        Key of the comparison; it changes whenever its numbers do.
    dataset : Dataset
        The table of the rows.
    contents : callable
        Function from what a person adds to the contents of the summary.
    """

    def submit(notes: SummaryNotes) -> str:
        return summary.submit_comparison(contents(notes), key, dataset, access=frame.access())

    _popover(key, {}, summary.latest_comparison(key, dataset, access=frame.access()), submit)


def _popover(subject: str, answers: Mapping[str, str], made: Run | None, submit: Callable[[SummaryNotes], str]) -> None:
    with st.popover("Summary", icon=":material/summarize:", key=keys.key("summary")):
        st.markdown("A page to hand on: the answer in numbers of cases, how sure it is, and what it is not for.")
        notes = _notes(subject, answers)
        st.button(
            "Make the summary" if made is None else "Make it again",
            type="primary" if made is None else "secondary",
            icon=":material/summarize:",
            key=keys.key("summary-make"),
            disabled=made is not None and not made.state.terminal,
            on_click=_submit,
            args=(submit, notes),
        )
        if made is not None:
            _state(made)


def _notes(subject: str, answers: Mapping[str, str]) -> SummaryNotes:
    """Let the user add what only a person knows; what the model's card says is filled in."""
    author = st.text_input(
        "Author",
        placeholder="Not stated",
        max_chars=_LIMITS["author"],
        key=keys.key("summary-author"),
    )
    texts = {
        name: st.text_area(
            label,
            answers.get(name, ""),
            placeholder="Nobody has said yet",
            max_chars=_LIMITS[name],
            height=68,
            key=keys.key(f"summary-{name}-{subject}"),
        )
        for name, label in (("intended_use", "What it is for"), ("out_of_scope", "What it must not be used for"))
    }
    return SummaryNotes(author=author.strip(), **{name: text.strip() for name, text in texts.items()})


def _submit(submit: Callable[[SummaryNotes], str], notes: SummaryNotes) -> None:
    with frame.errors_shown():
        submit(notes)


def _state(made: Run) -> None:
    """Draw the progress of a summary, why there is none, or its files."""
    if not made.state.terminal:
        run_view.show_line(made.id, "Making the summary")
        return
    if made.state is not RunState.SUCCEEDED:
        run_view.show_failure(made)
        return
    st.caption(f"Made on {numbers.when(made.created_at):%d %b %Y, %H:%M}. {frame.plain((made.result or {})['answer'])}")
    digests = {item.name: item.digest for item in artifacts.find(made.id, access=frame.access())}
    with st.container(horizontal=True):
        for name, (file, suffix, mime, explanation) in _FILES.items():
            downloads.button(
                name,
                get_store().local_path(digests[file]).read_bytes,
                file_name=downloads.file_name(made.title, suffix),
                mime=mime,
                icon=":material/download:",
                help=explanation,
                key=keys.key(f"summary-{name.lower()}"),
                on_click="ignore",
            )
