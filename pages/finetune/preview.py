"""The data of a training: classes, examples, and the lengths of the texts."""

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
    """Return the number of rows with a text, the words of the longest, quantiles of words, and some texts."""
    column = pq.read_table(get_store().local_path(digest), columns=[text]).column(0).to_pandas().dropna().astype(str)
    column = column[column.str.strip() != ""]
    if column.empty:
        return 0, 0, [], []
    words = column.str.split().str.len()
    shares = [int(words.quantile(share)) for share in (0.5, 0.95)]
    return len(column), int(words.max()), shares, column.sample(min(5, len(column)), random_state=0).tolist()


@st.cache_data(max_entries=20, show_spinner=False)
def _tokens(digest: str, text: str, tokenizer: str) -> np.ndarray:
    """Return the number of tokens of each text, of at most 5,000 texts."""
    from tokenizers import Tokenizer

    column = pq.read_table(get_store().local_path(digest), columns=[text]).column(0).to_pandas().dropna().astype(str)
    column = column[column.str.strip() != ""]
    loaded = Tokenizer.from_file(tokenizer)
    loaded.no_truncation()
    loaded.no_padding()
    chosen = column.sample(min(_COUNTED, len(column)), random_state=0).tolist()
    return np.array([len(encoding.ids) for encoding in loaded.encode_batch(chosen)])


def examples(dataset: Dataset, text: str, label: str) -> bool:
    """Draw the classes and some texts; return whether there are any."""
    charts.target(tables.target_summary(dataset.data_digest, label), label)
    rows, longest, shares, some = _texts(dataset.data_digest, text)
    if not rows:
        frame.show_error(f"'{text}' has no texts.", "Choose another column.")
        return False
    st.caption(
        f"{rows:,} texts: half have at most {shares[0]:,} words, 95% at most {shares[1]:,}, the longest {longest:,}."
    )
    with st.expander("Examples", icon=":material/notes:"):
        st.dataframe(pd.DataFrame({text: some}), hide_index=True, alt="Examples of the texts")
    return True


def lengths(dataset: Dataset, text: str, base: str | None, limit: int) -> None:
    """Draw the number of tokens of the texts, and where they are cut off, once the model is downloaded."""
    tokenizer = Path(base or "") / "tokenizer.json"
    if base is None or not tokenizer.is_file():
        st.caption("Tokens are counted once the base model is downloaded.")
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
            x=alt.X("from:Q", title="Tokens per text", bin="binned"),
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
    summary = f"No text is longer than {limit} tokens."
    if cut:
        summary = f"{cut:.1%} of the texts are longer than {limit} tokens: the rest of them is cut off."
    st.caption(summary)
    st.altair_chart((bars + rule).properties(height=140), alt=summary)
    if len(counts) == _COUNTED:
        st.caption(f"Counted on a random sample of {_COUNTED:,} texts.")
