"""The tab Prepare: the steps from the file to the table, their effects, and a preview of what they do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.catalog import Dataset, datasets, versions
from core.datasets import STEPS, Effect, Preview, Recipe, Step, preview_recipe
from core.errors import InputError, NotFoundError
from core.storage import get_store
from core.tasks import prepare
from pages._ui import address, frame, keys, uploader
from pages.data import step_forms

__all__ = ["show"]

_SHOWN_ROWS = 200


def show(dataset: Dataset) -> None:
    """Draw the steps of the version; those of the current version can be changed."""
    origin = datasets.get(dataset.family_id, dataset.workspace)
    head = versions.head(dataset)
    applied = list(prepare.recipe_of(dataset).steps)
    if head.id != dataset.id:
        st.info("This is an earlier version. Open or restore it to change its steps.", icon=":material/history:")
        _steps(dataset, applied, _effects(dataset, applied), None)
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
        _steps(dataset, steps, _effects(dataset, applied), preview)
        _apply_or_discard(dataset, applied, steps, preview, changed=changed)
        _recipe(dataset, steps)
    with right:
        st.subheader("Add a step")
        _add(dataset, steps, preview)
        _table(preview)


def _save(dataset: Dataset, steps: Sequence[Step]) -> None:
    """Store the draft; in a callback, so that the page is drawn with it."""
    with frame.errors_shown():
        draft = {"parent": dataset.id, "steps": [step.to_dict() for step in steps]}
        versions.set_draft(dataset, draft, revision=st.session_state[keys.key("revision")])


def _discard(dataset: Dataset) -> None:
    with frame.errors_shown():
        versions.set_draft(dataset, {}, revision=st.session_state[keys.key("revision")])


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
                on_click=_save,
                args=(dataset, list(Recipe(draft["steps"]).steps)),
            )
            st.button("Discard them", key="data-prepare-discard-stale", on_click=_discard, args=(dataset,))


def _effects(dataset: Dataset, applied: Sequence[Step]) -> dict[str, Effect]:
    """Return the stored effect of each step of a version, by all steps up to it."""
    stored = [Effect.from_dict(values) for values in dataset.lineage.get("effects", [])]
    return {_prefix(applied[: number + 1]): effect for number, effect in enumerate(stored)}


def _prefix(steps: Sequence[Step]) -> str:
    return json.dumps([step.to_dict() for step in steps])


def _steps(dataset: Dataset, steps: list[Step], stored: dict[str, Effect], preview: Preview | None) -> None:
    """Draw the list of steps, with buttons where `preview` says that they can be changed."""
    if not steps:
        st.caption("No steps yet: the table is as it was read.")
    for number, step in enumerate(steps):
        effect = stored.get(_prefix(steps[: number + 1]))
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{number + 1}.** {frame.plain(step.describe())}", width="stretch")
                if preview is not None:
                    _step_buttons(dataset, steps, number)
            if effect is not None:
                _effect(effect, "")
            elif preview is not None and number < len(preview.effects):
                _effect(preview.effects[number], f" in the first {preview.rows:,} rows, not applied yet")
            elif preview is not None and number == len(preview.effects) and preview.error is not None:
                frame.show_error(preview.error.message, preview.error.hint)
            else:
                st.caption("Not applied yet.")


def _effect(effect: Effect, where: str) -> None:
    summary = effect.summary
    st.caption(frame.plain(f"{summary[:1].upper()}{summary[1:]}{where}."))
    for note in effect.notes:
        st.caption(f":material/info: {frame.plain(note)}")


def _step_buttons(dataset: Dataset, steps: list[Step], number: int) -> None:
    def moved(to: int) -> list[Step]:
        others = [step for index, step in enumerate(steps) if index != number]
        return [*others[:to], steps[number], *others[to:]]

    for label, icon, to in (("Earlier", "arrow_upward", number - 1), ("Later", "arrow_downward", number + 1)):
        st.button(
            label,
            icon=f":material/{icon}:",
            type="tertiary",
            help=f"{label}: move this step.",
            key=f"data-prepare-{label.lower()}-{number}",
            disabled=not 0 <= to < len(steps),
            on_click=_save,
            args=(dataset, moved(to)) if 0 <= to < len(steps) else (dataset, steps),
        )
    st.button(
        "Remove",
        icon=":material/close:",
        type="tertiary",
        key=f"data-prepare-remove-{number}",
        on_click=_save,
        args=(dataset, [step for index, step in enumerate(steps) if index != number]),
    )


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
        st.button("Discard changes", key="data-prepare-discard", on_click=_discard, args=(dataset,))


def _apply(dataset: Dataset, applied: list[Step], steps: list[Step]) -> None:
    with frame.errors_shown():
        run_id = prepare.submit(dataset, Recipe(steps), label(applied, steps), who=address.who())
        address.set_query(dataset=dataset.id, tab="Prepare", preparing=run_id)


def label(applied: Sequence[Step], steps: Sequence[Step]) -> str:
    """Return a phrase for the change from some steps to others.

    Examples
    --------
    >>> one, two = Recipe([{"step": "drop", "columns": ["a"]}, {"step": "remove_duplicates"}]).steps
    >>> label([one], [one, two]), label([one, two], [two]), label([one, two], [two, one])
    ('Remove copies of rows', "Without: Drop 'a'", 'Steps in another order')
    """
    added = [step.describe() for step in steps if step not in applied]
    removed = [step.describe() for step in applied if step not in steps]
    if added:
        return f"{added[0]} and {len(added) - 1:,} more steps" if len(added) > 1 else added[0]
    return f"Without: {'; '.join(removed)}" if removed else "Steps in another order"


def _preview(origin: Dataset, steps: list[Step]) -> Preview:
    st.session_state[keys.key("revision")] = int(origin.draft.get("revision", 0))
    digests = {}
    for dataset_id in sorted(Recipe(steps).dataset_ids()):
        try:
            digests[dataset_id] = datasets.get(dataset_id, frame.workspace()).data_digest
        except NotFoundError:
            continue  # the step says so
    return _cached_preview(origin.data_digest, _prefix(steps), tuple(digests.items()))


@st.cache_data(max_entries=50, show_spinner=False)
def _cached_preview(digest: str, steps: str, others: tuple[tuple[str, str], ...]) -> Preview:
    store = get_store()
    tables = {dataset_id: store.local_path(other) for dataset_id, other in others}
    return preview_recipe(store.local_path(digest), Recipe(json.loads(steps)), tables=tables)


def _add(dataset: Dataset, steps: list[Step], preview: Preview) -> None:
    """Draw the form of a new step, which is added at the end."""
    if preview.error is not None:
        st.caption("Correct or remove the step that is not possible first.")
        return
    name = st.selectbox(
        "Step",
        list(STEPS),
        format_func=lambda item: STEPS[item].title,
        key="data-prepare-kind",
    )
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
            _save(dataset, [*steps[:leading], step, *steps[leading:]])
        else:
            _save(dataset, [*steps, step])


def _is_raw(dataset: Dataset, other_id: str) -> bool:
    """Return whether another dataset has the columns of the table as it was read: its rows go through all steps."""
    from pages._ui import tables

    origin = datasets.get(dataset.family_id, dataset.workspace)
    other = datasets.get(other_id, dataset.workspace)
    return set(tables.column_names(origin)) <= set(tables.column_names(other))


def _table(preview: Preview) -> None:
    st.subheader("Preview")
    shown = preview.frame.head(_SHOWN_ROWS)
    after = "" if len(preview.frame) == preview.rows else f", {len(preview.frame):,} after the steps"
    st.caption(f"The first {preview.rows:,} rows of the file{after}. Applying uses all rows.")
    st.dataframe(shown, height=360, hide_index=True, alt="First rows after the steps")


def _recipe(dataset: Dataset, steps: list[Step]) -> None:
    with st.popover("Recipe", icon=":material/receipt_long:", key="data-prepare-recipe"):
        st.caption("All steps as a file that can be read, kept with code, and used with other tables.")
        st.download_button(
            "Download YAML",
            Recipe(steps).to_yaml(),
            f"{dataset.name[:60]} recipe.yaml",
            "application/yaml",
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
    _save(dataset, recipe.steps)
