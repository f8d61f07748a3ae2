"""Type a text and see what the model says; scored with ONNX Runtime in this process."""

from __future__ import annotations

import json

import pandas as pd
import streamlit as st

from core import jobs
from core.catalog import Run
from core.edge import OnnxModel, TextScorer
from core.errors import NotFoundError
from pages._ui import frame

__all__ = ["show"]


@st.cache_resource(max_entries=2, show_spinner=False)
def _scorer(run_id: str, workspace: str) -> TextScorer:
    paths = {name: jobs.artifact_path(run_id, name, workspace=workspace)
             for name in ("model.onnx", "onnx.json", "model/tokenizer.json")}  # fmt: skip
    found = OnnxModel.from_dict(json.loads(paths["onnx.json"].read_text()), paths["model.onnx"])
    return TextScorer(paths["model.onnx"], paths["model/tokenizer.json"], found.labels, found.max_length)


def show(run: Run) -> None:
    """Draw the playground."""
    try:
        scorer = _scorer(run.id, frame.workspace())
    except NotFoundError:
        st.info("This model was not exported, so it cannot be tried here.", icon=":material/experiment:")
        return
    text = st.text_area("A text of your own", placeholder="Type or paste a text", key="ft-play", max_chars=20_000)
    if not text.strip():
        st.caption("The model's answer appears here.")
        return
    answer = scorer.predict([text]).iloc[0]
    if scorer.labels is None:
        st.metric("Prediction", f"{answer['label']:,.4g}", border=True)
        return
    shares = pd.DataFrame(
        {"Label": scorer.labels, "Probability": [100 * answer[f"p({each})"] for each in scorer.labels]}
    )
    st.markdown(f"**{frame.plain(answer['label'])}**")
    st.dataframe(
        shares.sort_values("Probability", ascending=False),
        hide_index=True,
        column_config={"Probability": st.column_config.ProgressColumn(format="%.1f %%", min_value=0, max_value=100)},
        alt="Probability of each label",
    )
