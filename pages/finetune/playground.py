"""The tab Try it: a text is scored as it is typed, with ONNX Runtime in this process."""

from __future__ import annotations

import json

import altair as alt
import pandas as pd
import streamlit as st

from core import jobs
from core.access import Access
from core.catalog import Run
from core.edge import OnnxModel, TextScorer
from core.errors import NotFoundError
from core.finetune import Text
from core.label_cells import MULTILABEL
from pages._ui import frame, theme

__all__ = ["show"]

_WORDS = 25


@st.cache_resource(max_entries=2, show_spinner=False)
def _scorer(run_id: str, *, access: Access) -> TextScorer:
    paths = {
        name: jobs.artifact_path(run_id, name, access=access)
        for name in ("model.onnx", "onnx.json", "model/tokenizer.json")
    }
    model = OnnxModel.from_dict(json.loads(paths["onnx.json"].read_text()), paths["model.onnx"])
    return TextScorer(paths["model.onnx"], paths["model/tokenizer.json"], model.labels, model.max_length)


def show(run: Run) -> None:
    """Draw the playground."""
    try:
        scorer = _scorer(run.id, access=frame.access())
    except NotFoundError:
        reason = str((run.result or {}).get("export_error") or "")
        said = f"This model was not exported, so that it cannot be tried here. {frame.plain(reason)}"
        st.info(said.strip(), icon=":material/experiment:")
        return
    text = _text(scorer.pairs)
    if text is None:
        st.caption("The prediction appears here.")
        return
    prediction = scorer.predict([text]).iloc[0]
    if scorer.labels is None:
        st.metric("Prediction", f"{prediction['label']:,.4g}", border=True)
        return
    shares = pd.DataFrame(
        {"Label": scorer.labels, "Probability": [100 * prediction[f"p({label})"] for label in scorer.labels]}
    )
    several = scorer.kind.name == MULTILABEL
    st.markdown(f"**{frame.plain(prediction['label']) or 'No label reaches 50%'}**")
    st.dataframe(
        shares.sort_values("Probability", ascending=False),
        hide_index=True,
        column_config={"Probability": st.column_config.ProgressColumn(format="%.1f%%", min_value=0, max_value=100)},
        alt="Probability of each label",
    )
    best = str(shares.loc[shares["Probability"].idxmax(), "Label"])
    if several:
        best = st.selectbox("Words for", scorer.labels, index=scorer.labels.index(best), width=320)
    _words(scorer, text, best)


def _text(pairs: bool) -> Text | None:
    """Let the user type a text, or both of a pair; return None until there is one."""
    first = st.text_area("Your text", placeholder="Type or paste a text", key="finetune-play", max_chars=20_000)
    if not pairs:
        return first if first.strip() else None
    second = st.text_area(
        "The second text", placeholder="Type or paste its counterpart", key="finetune-play-second", max_chars=20_000
    )
    return (first, second) if first.strip() and second.strip() else None


def _words(scorer: TextScorer, text: Text, label: str) -> None:
    """Draw how much each word contributes to the probability of the label."""
    words = scorer.attribution(text, label)
    if len(words) < 2:
        return
    words["word"] = [f"{number}. {token}" for number, token in enumerate(words["token"], start=1)]
    words["points"] = 100 * words["weight"]
    words["for"] = words["weight"].map(lambda weight: "supports" if weight > 0 else "opposes")
    shown = words.reindex(words["weight"].abs().sort_values(ascending=False).index).head(_WORDS).sort_index()
    chart = (
        alt.Chart(shown)
        .mark_bar()
        .encode(
            x=alt.X("points:Q", title="Probability lost without the word (points)"),
            y=alt.Y("word:N", sort=list(shown["word"]), title=None, axis=alt.Axis(labelLimit=160)),
            color=alt.Color(
                "for:N",
                scale=alt.Scale(domain=["supports", "opposes"], range=[theme.accent(), theme.muted()]),
                legend=alt.Legend(title=None, orient="bottom"),
            ),
            tooltip=["token:N", alt.Tooltip("points:Q", format="+.1f")],
        )
    )
    heading = f"Words that support or oppose {label}"
    st.altair_chart(chart.properties(height=alt.Step(22), title=heading), alt=heading)
    if len(words) > len(shown):
        st.caption(f"The {len(shown)} most important of {len(words):,} words.")
