"""The form of a training: texts and labels, base model, settings, Start."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from core.access import has_feature
from core.catalog import Dataset, Run
from core.datasets import Profile
from core.finetune import FEW_TEXTS, BaseModel, FineTuneSettings, base_models, family_note, local_model
from core.tasks import finetune
from pages._ui import address, frame, lookups, needs_form, numbers, suggestions, tables
from pages.finetune import advanced, estimate, label_kind, preview

__all__ = ["fill", "show"]

_OTHER = "another"


def show(by_id: dict[str, Dataset]) -> None:
    """Draw the form; Start submits the run and opens it."""
    first_with_text = _with_text(list(by_id.values()))
    linked = st.query_params.get("dataset")
    first, second, third = st.columns(3, gap="medium")
    with first:
        chosen = st.selectbox(
            "Dataset",
            list(by_id),
            index=list(by_id).index(linked) if linked in by_id else first_with_text,
            format_func=lambda item: lookups.dataset_title(by_id[item]),
            key="finetune-dataset",
        )
    if chosen != (linked if linked in by_id else list(by_id)[first_with_text]):
        address.set_query(dataset=chosen)
    dataset = by_id[chosen]
    columns = tables.profile(dataset.profile_digest)["columns"]
    names = [column["name"] for column in columns]
    text, label = _columns(dataset, names, second, third)
    if text is None or label is None:
        st.caption("Choose the column with the texts, and the column to predict.")
        return
    suggestions.explain(dataset, "finetune", {"text": text, "label": label})
    other = _second_text(dataset, names, text, label)
    read = [text, *([] if other is None else [other])]
    target = st.container()
    kind = label_kind.show(dataset, label)
    with target:
        if not preview.examples(dataset, read, label, kind):
            return
    if kind is None:
        return
    _few_texts(dataset, label, kind)
    base, folder = _base()
    length = st.container()
    values: dict[str, Any] = {"text_column": text, "label_column": label, "base_model": base, **kind}
    used = [*read, label, *kind.get("label_columns", ())]
    values |= {"second_text_column": other, **advanced.show(dataset, used, names)}
    with length:
        preview.lengths(dataset, text, other, folder, values["max_length"])
    values["nodes"] = (
        1 if values.get("few_shot") else needs_form.nodes(values["train_batch_size"], processors_only=True)
    )
    settings = FineTuneSettings(**values)
    estimate.show(dataset, settings)
    needs = needs_form.show("finetune", settings.model_dump(mode="json"), dataset)
    if st.button("Start", type="primary", icon=":material/play_arrow:", key="finetune-start"):
        address.go(run=finetune.submit(dataset, settings, needs=needs, access=frame.access()))


def _columns(dataset: Dataset, names: list[str], left: Any, right: Any) -> tuple[str | None, str | None]:
    """Let the user choose the column of texts, and the column to predict."""
    texts = [column["name"] for column in tables.profile(dataset.profile_digest)["columns"] if column["kind"] == "text"]
    text_key, label_key = f"finetune-text-{dataset.id}", f"finetune-label-{dataset.id}"
    shown = address.restore_optional("text", names, texts[0] if texts else None, text_key)
    with left:
        text = st.selectbox("Text", names, index=None, placeholder="Column with the texts", key=text_key)
    address.keep("text", text, shown, text_key)
    labels = [name for name in names if name != text]
    target = dataset.roles.get("target")
    shown = address.restore_optional("label", labels, target if target in labels else None, label_key)
    if st.session_state[label_key] not in labels:
        st.session_state[label_key] = None
    with right:
        label = st.selectbox("Label", labels, index=None, placeholder="Column to predict", key=label_key)
    address.keep("label", label, shown, label_key)
    return text, label


def _second_text(dataset: Dataset, names: list[str], text: str, label: str) -> str | None:
    """Let the user choose a second column of texts, where the table has one."""
    columns = tables.profile(dataset.profile_digest)["columns"]
    texts = [column["name"] for column in columns if column["kind"] in ("text", "category")]
    others = [name for name in names if name in texts and name not in (text, label)]
    if not others:
        return None
    key = f"finetune-second-{dataset.id}"
    shown = address.restore_optional("second", others, None, key)
    if st.session_state[key] not in others:
        st.session_state[key] = None
    second = st.selectbox(
        "Second text (optional)",
        others,
        index=None,
        placeholder="None: each text stands alone",
        key=key,
        width=320,
        help="For pairs, such as a question and its answer, or a claim and its source. The model reads both together.",
    )
    address.keep("second", second, shown, key)
    return second


def _few_texts(dataset: Dataset, label: str, kind: Mapping[str, Any]) -> None:
    """Say which way to train suits a handful of texts per class."""
    if kind["task"] not in ("auto", "classification") or st.session_state.get("finetune-few"):
        return
    column = Profile.from_dict(tables.profile(dataset.profile_digest))[label]
    rows = column.rows - column.missing
    if 2 * column.distinct <= rows < FEW_TEXTS * column.distinct:
        st.info(
            f"{rows / column.distinct:.0f} texts per class are few: *Learn from pairs of few texts*, under Advanced, "
            "may help.",
            icon=":material/lightbulb:",
        )


def _with_text(known: list[Dataset]) -> int:
    """Return the index of the first dataset that has a column of texts."""
    for index, dataset in enumerate(known):
        if any(column["kind"] == "text" for column in tables.profile(dataset.profile_digest)["columns"]):
            return index
    return 0


def _base() -> tuple[str, str | None]:
    """Let the user choose the base model; return its name, and its folder if it is on this machine."""
    models = {model.name: model for model in base_models()}
    others = [_OTHER] if has_feature("hub_models") or has_feature("model_folders") else []
    st.session_state.setdefault("finetune-base", next(iter(models)))
    first, second = st.columns([2, 3], gap="medium")
    with first:
        chosen = st.selectbox(
            "Base model",
            [*models, *others],
            format_func=lambda name: "A folder or another model on the hub" if name == _OTHER else models[name].title,
            key="finetune-base",
        )
    with second:
        if chosen == _OTHER:
            named = st.text_input(
                "Folder, or name on the hub",
                placeholder="/models/my-model or distilbert-base-uncased",
                help="Only safetensors are read. A model on the hub needs a network.",
                key="finetune-base-name",
            )
            name = named.strip()
            folder = Path(name).expanduser()
            if not name or not folder.is_dir():
                return name or "minilm-l6", None
            _note(local_model(folder))
            return name, name
        _card(models[chosen])
    return chosen, models[chosen].path


def _card(model: BaseModel) -> None:
    st.caption(
        f"{numbers.rounded(model.parameters / 1e6)} million parameters · {model.size_mb:,.0f} MB · "
        f"{frame.plain(model.licence)}. {frame.plain(model.note or '')} "
        f"Training takes up to {model.disk_mb:,.0f} MB of disk."
    )
    _note(model)
    facts = model.architecture()
    if facts:
        with st.popover("Model facts", icon=":material/id_card:", type="tertiary"):
            st.table({name: frame.plain(value) for name, value in facts.items()}, border="horizontal", width="content")


def _note(model: BaseModel) -> None:
    """Say what the family of a base model cannot do, before a training is started."""
    note = family_note(model)
    if note:
        st.caption(f":material/info: {frame.plain(note)}")


def fill(run: Run) -> None:
    """Put the settings of an earlier training into the form."""
    settings = FineTuneSettings.model_validate(run.settings)
    known = {model.name for model in base_models()}
    st.session_state["finetune-base"] = settings.base_model if settings.base_model in known else _OTHER
    if settings.base_model not in known:
        st.session_state["finetune-base-name"] = settings.base_model
    st.session_state[f"finetune-second-{run.dataset_id}"] = settings.second_text_column
    label_kind.fill(settings, str(run.dataset_id))
    advanced.fill(settings, str(run.dataset_id))
