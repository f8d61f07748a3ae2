"""The tab Prepare: the steps from the file to the table, their effects, and a preview of what they do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.catalog import Dataset, datasets, versions
from core.datasets import STEPS, Preview, Recipe, Step, preview_recipe
from core.errors import InputError, NotFoundError
from core.process_memory import give_back
from core.storage import get_store
from core.tasks import prepare
from pages._ui import address, downloads, frame, tables, uploader
from pages.data import step_forms, table_step_forms
from pages.data import steps as steps_list

__all__ = ["show"]

_SHOWN_ROWS = 200


def show(dataset: Dataset) -> None:
    """Draw the steps of the version; those of the current version can be changed."""
    origin = datasets.get(dataset.family_id, access=frame.access())
    head = versions.head(dataset, access=frame.access())
    applied = list(prepare.recipe_of(dataset).steps)
    if head.id != dataset.id:
        st.info("This is an earlier version. Open or restore it to change its steps.", icon=":material/history:")
        steps_list.show(dataset, applied, steps_list.stored_effects(dataset, applied), None)
        return
    draft = origin.draft
    steps = applied if "steps" not in draft else list(Recipe(draft["steps"]).steps)
    if "steps" in draft and draft.get("parent") != dataset.id:
        _stale(dataset, draft)
        steps = applied
    changed = steps != applied
    preview = _preview(origin, steps)
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.subheader("Steps")
        steps_list.show(dataset, steps, steps_list.stored_effects(dataset, applied), preview)
        _apply_or_discard(dataset, applied, steps, preview, changed=changed)
        _recipe(dataset, steps)
    with right:
        st.subheader("Add a step")
        _add(dataset, steps, preview)
        _table(preview)


def _stale(dataset: Dataset, draft: dict[str, Any]) -> None:
    """Say that steps were begun from a version that is no longer the current one."""
    with st.container(border=True):
        st.warning(
            f"{len(draft['steps']):,} steps were begun from another version than the current one, number "
            f"{dataset.number}. They are not applied.",
            icon=":material/difference:",
        )
        with st.container(horizontal=True):
            st.button(
                "Continue with these steps",
                key="data-prepare-continue",
                on_click=steps_list.save,
                args=(dataset, list(Recipe(draft["steps"]).steps)),
            )
            st.button("Discard them", key="data-prepare-discard-stale", on_click=steps_list.discard, args=(dataset,))


def _apply_or_discard(
    dataset: Dataset, applied: list[Step], steps: list[Step], preview: Preview, *, changed: bool
) -> None:
    if not changed:
        return
    with st.container(horizontal=True):
        st.button(
            "Apply",
            type="primary",
            icon=":material/check:",
            key="data-prepare-apply",
            disabled=preview.error is not None,
            help="Make the next version of the dataset from all rows.",
            on_click=_apply,
            args=(dataset, applied, steps),
        )
        st.button("Discard changes", key="data-prepare-discard", on_click=steps_list.discard, args=(dataset,))


def _apply(dataset: Dataset, applied: list[Step], steps: list[Step]) -> None:
    with frame.errors_shown():
        run_id = prepare.submit(dataset, Recipe(steps), label(applied, steps), access=frame.access())
        address.set_query(dataset=dataset.id, tab="Prepare", preparing=run_id)


def label(applied: Sequence[Step], steps: Sequence[Step]) -> str:
    """Return a phrase for the change from some steps to others.

    Examples
    --------
    >>> one, two = Recipe([{"step": "drop", "columns": ["a"]}, {"step": "remove_duplicates"}]).steps
    >>> label([one], [one, two]), label([one, two], [two]), label([one, two], [two, one])
    ('Remove copies of rows', "Without: Drop 'a'", 'Steps in another order')
    """
    added = [steps_list.describe(step) for step in steps if step not in applied]
    removed = [steps_list.describe(step) for step in applied if step not in steps]
    if added:
        return f"{added[0]} and {len(added) - 1:,} more steps" if len(added) > 1 else added[0]
    return f"Without: {'; '.join(removed)}" if removed else "Steps in another order"


def _preview(origin: Dataset, steps: list[Step]) -> Preview:
    steps_list.set_revision(origin)
    digests = {}
    for dataset_id in sorted(Recipe(steps).dataset_ids()):
        try:
            digests[dataset_id] = datasets.get(dataset_id, access=frame.access()).data_digest
        except NotFoundError:
            continue  # the step says so
    return _cached_preview(origin.data_digest, steps_list.prefix(steps), tuple(digests.items()))


@st.cache_data(max_entries=50, max_size="24MB", show_spinner=False)
def _cached_preview(digest: str, steps: str, others: tuple[tuple[str, str], ...]) -> Preview:
    store = get_store()
    tables = {dataset_id: store.local_path(other) for dataset_id, other in others}
    try:
        return preview_recipe(store.local_path(digest), Recipe(json.loads(steps)), tables=tables)
    finally:
        give_back()


def _add(dataset: Dataset, steps: list[Step], preview: Preview) -> None:
    """Draw the form of a new step, which is added at the end."""
    if preview.error is not None:
        st.caption("Correct or remove the step that is not possible first.")
        return
    shown = address.restore("step", list(STEPS), next(iter(STEPS)), "data-prepare-kind")
    name = st.selectbox(
        "Step",
        list(STEPS),
        format_func=lambda item: STEPS[item].title,
        key="data-prepare-kind",
    )
    address.keep("step", name, shown, "data-prepare-kind")
    st.caption(STEPS[name].help)
    fields = step_forms.show(name, preview, dataset)
    st.button(
        "Add step",
        icon=":material/add:",
        key="data-prepare-add",
        disabled=fields is None,
        on_click=_add_step,
        args=(dataset, steps, name, fields, preview),
    )


def _add_step(dataset: Dataset, steps: list[Step], name: str, fields: dict[str, Any], preview: Preview) -> None:
    with frame.errors_shown():
        step = STEPS[name](**fields)
        if name == "append" and _is_raw(dataset, fields["dataset"]):
            leading = sum(1 for item in steps if item.name == "append")
            steps_list.save(dataset, [*steps[:leading], step, *steps[leading:]])
        else:
            steps_list.save(dataset, [*steps, step])
        address.drop(table_step_forms.NEWER)


def _is_raw(dataset: Dataset, other_id: str) -> bool:
    """Return whether another dataset has the columns of the table as it was read: its rows go through all steps."""
    origin = datasets.get(dataset.family_id, access=frame.access())
    other = datasets.get(other_id, access=frame.access())
    return set(tables.column_names(origin)) <= set(tables.column_names(other))


def _table(preview: Preview) -> None:
    st.subheader("Preview")
    shown = tables.shorten(preview.frame.head(_SHOWN_ROWS))
    dates = {
        name: st.column_config.DateColumn(format="YYYY-MM-DD") for name, kind in preview.types.items() if kind == "date"
    }
    after = "" if len(preview.frame) == preview.rows else f", {len(preview.frame):,} after the steps"
    st.caption(f"The first {preview.rows:,} rows of the file{after}. Applying uses all rows.")
    config = tables.narrow(shown.columns) | dates
    st.dataframe(shown, height=360, hide_index=True, column_config=config, alt="First rows after the steps")


def _recipe(dataset: Dataset, steps: list[Step]) -> None:
    with st.popover("Recipe", icon=":material/receipt_long:", key="data-prepare-recipe"):
        st.caption("All steps as a file that can be read, kept with code, and used with other tables.")
        downloads.button(
            "Download YAML",
            Recipe(steps).to_yaml(),
            file_name=f"{dataset.name[:60]} recipe.yaml",
            mime="application/yaml",
            icon=":material/download:",
            key="data-prepare-yaml",
            disabled=not steps,
            on_click="ignore",
        )
        uploader.show(
            "Use a recipe in place of these steps",
            key="data-prepare-upload",
            limit_mb=2,
            on_upload=lambda file: _use(dataset, file.getvalue()),
        )


def _use(dataset: Dataset, content: bytes) -> None:
    try:
        recipe = Recipe.from_yaml(content.decode())
    except UnicodeDecodeError:
        raise InputError("The file is not a text in UTF-8.", "Choose a recipe that was downloaded here.") from None
    steps_list.save(dataset, recipe.steps)
