"""The data of a training: classes, examples, and the lengths of the texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core.catalog import Dataset
from core.datasets import Profile, StoredRows
from core.finetune import Text, read_cells, read_columns
from pages._ui import artifacts, charts, frame, tables, theme

__all__ = ["examples", "lengths"]

_COUNTED = 5_000
_READ_BYTES = 4 * 2**20
_TOKENIZED_CHARS = 50_000
_TEXTS_AT_ONCE = 32
_EXAMPLES = 5
_SHOWN_CHARS = 2_000
_SHOWN_LABELS = 20


@dataclass(frozen=True)
class _Texts:
    """Texts of a column, and how many the column has.

    Parameters
    ----------
    texts : list of str
        Texts with something in them, at most 5,000 and 4 MB.
    rows : StoredRows
        Rows that were read for them.
    """

    texts: list[str]
    rows: StoredRows

    @property
    def note(self) -> str:
        """Sentence that says what was read, where that is not all."""
        return artifacts.sample_note(self.rows, "rows")


def _texts(digest: str, column: str) -> _Texts:
    rows = artifacts.sample(digest, (column,), rows=_COUNTED, max_bytes=_READ_BYTES)
    texts = rows.frame[column].dropna().astype(str)
    return _Texts(texts[texts.str.strip() != ""].tolist(), rows)


def _pairs(digest: str, column: str, second: str) -> list[tuple[str, str]]:
    """Return pairs of texts of some rows."""
    rows = artifacts.sample(digest, (column, second), rows=_COUNTED, max_bytes=_READ_BYTES)
    return list(rows.frame[[column, second]].dropna().astype(str).itertuples(index=False, name=None))


@st.cache_data(max_entries=20, show_spinner=False)
def _words(digest: str, column: str) -> list[int]:
    """Return the number of words at the median, at 95% and of the longest text."""
    words = np.array([len(text.split()) for text in _texts(digest, column).texts])
    return [int(np.quantile(words, share)) for share in (0.5, 0.95, 1.0)]


@st.cache_data(max_entries=20, show_spinner=False)
def _tokens(digest: str, column: str, second: str | None, tokenizer: str) -> np.ndarray:
    """Return the number of tokens of each text, or pair; of a very long one, of its begin."""
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_file(tokenizer)
    loaded.no_truncation()
    loaded.no_padding()
    texts = _texts(digest, column).texts if second is None else _pairs(digest, column, second)
    counts: list[int] = []
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        part = [_begin(text) for text in texts[start : start + _TEXTS_AT_ONCE]]
        counts += [len(encoding.ids) for encoding in loaded.encode_batch(part)]
    return np.array(counts)


def _begin(text: Text) -> Text:
    if isinstance(text, str):
        return text[:_TOKENIZED_CHARS]
    return text[0][:_TOKENIZED_CHARS], text[1][:_TOKENIZED_CHARS]


def examples(dataset: Dataset, columns: list[str], label: str, kind: Mapping[str, Any] | None) -> bool:
    """Draw the classes or labels and some texts; return whether there are any.

    Parameters
    ----------
    dataset : Dataset
        The table.
    columns : list of str
        Column of the texts, or the two of pairs.
    label : str
        Column of the label.
    kind : mapping or None
        Settings that say what the label holds; None while it is asked.
    """
    text = columns[0]
    if kind is not None and kind["task"] == "multilabel":
        _labels(dataset, label, kind)
    else:
        charts.target(tables.target_summary(dataset, label), label)
    read = _texts(dataset.data_digest, text)
    if not read.texts:
        frame.show_error(f"'{text}' has no texts.", "Choose another column.")
        return False
    half, most, longest = _words(dataset.data_digest, text)
    column = Profile.from_dict(tables.profile(dataset.profile_digest))[text]
    count = len(read.texts) if read.rows.complete else column.rows - column.missing
    st.caption(
        f"{count:,} texts: half have at most {half:,} words, 95% at most {most:,}, the longest {longest:,}. {read.note}"
    )
    rows = [(item,) for item in read.texts] if len(columns) == 1 else _pairs(dataset.data_digest, *columns)
    drawn = np.random.default_rng(0).permutation(len(rows))[:_EXAMPLES]
    some = [
        [part if len(part) <= _SHOWN_CHARS else f"{part[:_SHOWN_CHARS]}…" for part in rows[index]] for index in drawn
    ]
    with st.expander("Examples", icon=":material/notes:"):
        st.dataframe(pd.DataFrame(some, columns=columns), hide_index=True, alt="Examples of the texts")
    return True


def _labels(dataset: Dataset, label: str, kind: Mapping[str, Any]) -> None:
    """Draw how many texts have each label."""
    names = tuple(kind.get("label_columns", ())) or (label,)
    with frame.errors_shown():
        counts, said, note = _label_counts(dataset.data_digest, names, kind.get("label_separator"))
        st.caption(f"{frame.plain(said)} {note}")
        shown = counts.head(_SHOWN_LABELS)
        chart = (
            alt.Chart(shown)
            .mark_bar(color=theme.accent())
            .encode(
                x=alt.X("share:Q", title="Texts with the label (%)"),
                y=alt.Y("label:N", sort=list(shown["label"]), title=None, axis=alt.Axis(labelLimit=200)),
                tooltip=["label:N", alt.Tooltip("texts:Q", format=","), alt.Tooltip("share:Q", format=".1f")],
            )
        )
        st.altair_chart(chart.properties(height=alt.Step(20)), alt=f"Texts with each label. {said}")
        if len(counts) > len(shown):
            st.caption(f"The {len(shown)} most frequent of {len(counts):,} labels.")


@st.cache_data(max_entries=20, show_spinner=False)
def _label_counts(digest: str, columns: tuple[str, ...], separator: str | None) -> tuple[pd.DataFrame, str, str]:
    """Return the number of texts with each label, a sentence about all, and what was read."""
    rows = artifacts.sample(digest, columns, rows=_COUNTED, max_bytes=_READ_BYTES)
    cells = rows.frame[list(columns)].dropna()
    sets = read_columns(cells) if separator is None else read_cells(cells[columns[0]], separator)
    counts = sets.y.sum(axis=0)
    table = pd.DataFrame({"label": sets.names, "texts": counts, "share": 100 * counts / max(len(cells), 1)})
    none = int((sets.y.sum(axis=1) == 0).sum())
    said = f"{len(sets.names)} labels, {sets.y.sum() / max(len(cells), 1):.2f} per text; {none:,} texts have none."
    return table.sort_values("texts", ascending=False, kind="stable"), said, artifacts.sample_note(rows, "rows")


def lengths(dataset: Dataset, text: str, second: str | None, base: str | None, limit: int) -> None:
    """Draw the number of tokens of the texts, and where they are cut off, once the model is downloaded."""
    tokenizer = Path(base or "") / "tokenizer.json"
    if base is None or not tokenizer.is_file():
        st.caption("Tokens are counted once the base model is downloaded.")
        return
    read = _texts(dataset.data_digest, text)
    counts = _tokens(dataset.data_digest, text, second, str(tokenizer))
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
    if read.note:
        st.caption(read.note)
    cut_short = sum(len(text) > _TOKENIZED_CHARS for text in read.texts)
    if cut_short:
        st.caption(f"Of {cut_short:,} texts the first {_TOKENIZED_CHARS:,} characters are counted.")
