"""What to try after a training that is not clearly better than words alone: each a press away."""

from __future__ import annotations

import streamlit as st

from core.catalog import Run, datasets
from core.finetune import Advice, FineTuneSettings, FineTuneSummary, next_tries
from core.tasks import finetune
from pages._ui import address, frame, keys

__all__ = ["show"]


def show(run: Run, summary: FineTuneSummary) -> None:
    """Draw what may help, with a button that starts a training with this one change."""
    tries = next_tries(summary)
    if not tries:
        return
    with st.container(border=True):
        st.markdown("**Not clearly better than words alone.** What may help:")
        for number, advice in enumerate(tries):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{frame.plain(advice.title)}** · {frame.plain(advice.reason)}")
                if advice.changes:
                    st.button(
                        "Try it",
                        icon=":material/play_arrow:",
                        key=keys.key(f"try-{number}"),
                        on_click=_start,
                        args=(run, advice),
                        help="Starts a new training with this change alone.",
                    )


def _start(run: Run, advice: Advice) -> None:
    with frame.errors_shown():
        settings = FineTuneSettings.model_validate({**run.settings, **advice.changes})
        dataset = datasets.get(str(run.dataset_id), access=frame.access())
        address.set_query(run=finetune.submit(dataset, settings, access=frame.access()))
