"""What a training would read: classes, examples, and how long the texts are against what the model reads."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import streamlit as st

from core.catalog import Dataset
from core.storage import get_store
from pages._ui import charts, frame, tables, theme

__all__ = ["examples", "lengths"]

_COUNTED = 5_000


@st.cache_data(max_entries=20, show_spinner=False)
def _texts(digest: str, text: str) -> tuple[int, int, list[int], list[str]]:
    """Return rows with a text, the words of the longest, quantiles of words, and some texts."""
    column = pq.read_table(get_store().local_path(digest), columns=[text]).column(0).to_pandas().dropna().astype(str)
    column = column[column.str.strip() != ""]
    if column.empty:
        return 0, 0, [], []
    words = column.str.split().str.len()
    shares = [int(words.quantile(share)) for share in (0.5, 0.95)]
    return len(column), int(words.max()), shares, column.sample(min(5, len(column)), random_state=0).tolist()


@st.cache_data(max_entries=20, show_spinner=False)
def _tokens(digest: str, text: str, tokenizer: str) -> np.ndarray:
    """Return the tokens of each text, of at most 5,000 of them."""
    from tokenizers import Tokenizer

    column = pq.read_table(get_store().local_path(digest), columns=[text]).column(0).to_pandas().dropna().astype(str)
    column = column[column.str.strip() != ""]
    loaded = Tokenizer.from_file(tokenizer)
    loaded.no_truncation()
    loaded.no_padding()
    chosen = column.sample(min(_COUNTED, len(column)), random_state=0).tolist()
    return np.array([len(found.ids) for found in loaded.encode_batch(chosen)])


def examples(dataset: Dataset, text: str, label: str) -> bool:
    """Draw the classes, and some texts; tell whether there are any."""
    charts.target(tables.target_summary(dataset.data_digest, label), label)
    rows, longest, shares, some = _texts(dataset.data_digest, text)
    if not rows:
        frame.show_error(f"'{text}' has no texts.", "Choose another column.")
        return False
    st.caption(
        f"{rows:,} texts: half have at most {shares[0]:,} words, 95 % at most {shares[1]:,}, the longest {longest:,}."
    )
    with st.expander("Some of the texts", icon=":material/notes:"):
        st.dataframe(pd.DataFrame({text: some}), hide_index=True, alt="Examples of the texts")
    return True


def lengths(dataset: Dataset, text: str, base: str | None, limit: int) -> None:
    """Draw how many tokens the texts have, and where they are cut; nothing for a model that is not here yet."""
    tokenizer = Path(base or "") / "tokenizer.json"
    if base is None or not tokenizer.is_file():
        st.caption("How many tokens the texts have is counted once the base model is here.")
        return
    counts = _tokens(dataset.data_digest, text, str(tokenizer))
    cut = float(np.mean(counts > limit))
    most = int(max(limit, np.quantile(counts, 0.995)))
    heights, edges = np.histogram(np.minimum(counts, most), bins=min(40, most), range=(0, most))
    table = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "texts": 100 * heights / len(counts)})
    bars = (
        alt.Chart(table)
        .mark_bar(color=theme.accent())
        .encode(
            x=alt.X("from:Q", title="Tokens of a text", bin="binned"),
            x2="to:Q",
            y=alt.Y("texts:Q", title="Texts (%)", axis=alt.Axis(tickCount=3)),
            tooltip=[
                alt.Tooltip("from:Q", format=".0f"),
                alt.Tooltip("to:Q", format=".0f"),
                alt.Tooltip("texts:Q", format=".1f", title="% of the texts"),
            ],
        )
    )
    rule = (
        alt.Chart(pd.DataFrame({"limit": [limit]}))
        .mark_rule(color=theme.muted(), strokeDash=[4, 4])
        .encode(x="limit:Q")
    )
    told = f"No text is longer than the {limit} tokens that are read."
    if cut:
        told = f"{cut:.1%} of the texts are longer than the {limit} tokens that are read: their rest is cut off."
    st.caption(told)
    st.altair_chart((bars + rule).properties(height=140), alt=told)
    if len(counts) == _COUNTED:
        st.caption(f"Counted on {_COUNTED:,} texts drawn at random.")
