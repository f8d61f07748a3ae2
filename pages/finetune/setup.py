"""Setting a training up: texts and labels, base model, settings, Start."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import streamlit as st

from core.catalog import Dataset
from core.finetune import FineTuneSettings, base_models
from core.storage import get_store
from core.tasks import finetune
from pages._ui import charts, frame, numbers, tables
from pages.finetune import advanced

__all__ = ["show"]

_OTHER = "another"


def show(known: list[Dataset]) -> None:
    """Draw the form; Start submits the run and opens it."""
    by_id = {dataset.id: dataset for dataset in known}
    asked = st.query_params.get("dataset")
    first, second, third = st.columns(3, gap="large")
    with first:
        chosen = st.selectbox(
            "Dataset",
            list(by_id),
            index=list(by_id).index(asked) if asked in by_id else _with_text(known),
            format_func=lambda item: f"{by_id[item].name} ({by_id[item].rows:,} rows)",
            key="ft-dataset",
        )
    frame.remember("dataset", chosen, asked if asked in by_id else list(by_id)[_with_text(known)])
    dataset = by_id[chosen]
    columns = tables.profile(dataset.profile_digest)["columns"]
    names = [column["name"] for column in columns]
    texts = [column["name"] for column in columns if column["kind"] == "text"]
    with second:
        text = st.selectbox(
            "Text",
            names,
            index=names.index(texts[0]) if texts else None,
            placeholder="The column with the texts",
            key=f"ft-text-{chosen}",
        )
    with third:
        target = dataset.roles.get("target")
        label = st.selectbox(
            "Label",
            [name for name in names if name != text],
            index=[name for name in names if name != text].index(target)
            if target in names and target != text
            else None,
            placeholder="What to predict",
            key=f"ft-label-{chosen}",
        )
    if text is None or label is None:
        st.caption("Choose the column with the texts, and the one with what shall be predicted of them.")
        return
    _preview(dataset, text, label)
    values = {"text_column": text, "label_column": label} | _base() | advanced.show(dataset, [text, label], names)
    if st.button("Start", type="primary", icon=":material/play_arrow:", key="ft-start"):
        run_id = finetune.submit(dataset, FineTuneSettings(**values))
        st.query_params.clear()
        st.query_params["run"] = run_id
        st.rerun()


def _with_text(known: list[Dataset]) -> int:
    """Return the place of the first dataset that has a column of texts."""
    for place, dataset in enumerate(known):
        if any(column["kind"] == "text" for column in tables.profile(dataset.profile_digest)["columns"]):
            return place
    return 0


@st.cache_data(max_entries=20, show_spinner=False)
def _lengths(digest: str, text: str) -> tuple[int, int, list[int], list[str]]:
    """Return rows with a text, the words of the longest, quantiles of words, and some texts."""
    column = pq.read_table(get_store().local_path(digest), columns=[text]).column(0).to_pandas().dropna().astype(str)
    words = column.str.split().str.len()
    if column.empty:
        return 0, 0, [], []
    shares = [int(words.quantile(share)) for share in (0.5, 0.95)]
    return len(column), int(words.max()), shares, column.sample(min(5, len(column)), random_state=0).tolist()


def _preview(dataset: Dataset, text: str, label: str) -> None:
    charts.target(tables.target_summary(dataset.data_digest, label), label)
    rows, longest, shares, examples = _lengths(dataset.data_digest, text)
    if not rows:
        frame.show_error(f"'{text}' has no texts.", "Choose another column.")
        return
    st.caption(
        f"{rows:,} texts: half have at most {shares[0]:,} words, 95 % at most {shares[1]:,}, the longest {longest:,}."
    )
    with st.expander("Some of the texts", icon=":material/notes:"):
        st.dataframe(pd.DataFrame({text: examples}), hide_index=True, alt="Examples of the texts")


def _base() -> dict[str, Any]:
    models = {model.name: model for model in base_models()}
    first, second = st.columns([2, 3], gap="large")
    with first:
        chosen = st.selectbox(
            "Base model",
            [*models, _OTHER],
            format_func=lambda name: "A folder or a hub's model" if name == _OTHER else models[name].title,
            key="ft-base",
        )
    with second:
        if chosen == _OTHER:
            named = st.text_input(
                "Folder, or name on the hub",
                placeholder="/models/my-model or distilbert-base-uncased",
                help="Weights are read as safetensors only. A hub's model needs a network.",
                key="ft-base-name",
            )
            return {"base_model": named.strip() or "minilm-l6"}
        model = models[chosen]
        st.caption(
            f"{numbers.rounded(model.parameters / 1e6)} million parameters · {model.size_mb:,.0f} MB · "
            f"{model.licence}. {model.note or ''} Training takes up to {model.disk_mb:,.0f} MB of disk."
        )
    return {"base_model": chosen}
