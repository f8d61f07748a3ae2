"""The list of steps on the tab Prepare, with what each does, and the draft that its buttons change."""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

from core.catalog import Dataset, versions
from core.datasets import Effect, Preview, Step
from pages._ui import frame, keys, lookups

__all__ = ["describe", "discard", "prefix", "save", "set_revision", "show", "stored_effects"]


def set_revision(origin: Dataset) -> None:
    """Remember which revision of the draft this tab shows: another tab may change it meanwhile."""
    st.session_state[keys.key("revision")] = int(origin.draft.get("revision", 0))


def save(dataset: Dataset, steps: Sequence[Step]) -> None:
    """Store the draft; in a callback, so that the page is drawn with it."""
    with frame.errors_shown():
        draft = {"parent": dataset.id, "steps": [step.to_dict() for step in steps]}
        versions.set_draft(dataset, draft, revision=st.session_state[keys.key("revision")], access=frame.access())


def discard(dataset: Dataset) -> None:
    """Discard the draft."""
    with frame.errors_shown():
        versions.set_draft(dataset, {}, revision=st.session_state[keys.key("revision")], access=frame.access())


def prefix(steps: Sequence[Step]) -> str:
    """Return a key for a sequence of steps, by which effects and previews are kept."""
    return json.dumps([step.to_dict() for step in steps])


def stored_effects(dataset: Dataset, applied: Sequence[Step]) -> dict[str, Effect]:
    """Return the stored effect of each step of a version, by all steps up to it."""
    stored = [Effect.from_dict(values) for values in dataset.lineage.get("effects", [])]
    return {prefix(applied[: number + 1]): effect for number, effect in enumerate(stored)}


def describe(step: Step) -> str:
    """Return what a step does, with the names of other datasets in place of their ids."""
    text = step.describe()
    for dataset_id in step.dataset_ids():
        other = lookups.existing_dataset(dataset_id)
        text = text.replace(
            f"dataset {dataset_id}", "a dataset that was deleted" if other is None else f"'{other.name}'"
        )
    return text


def show(dataset: Dataset, steps: list[Step], stored: dict[str, Effect], preview: Preview | None) -> None:
    """Draw the list of steps, with buttons where `preview` says that they can be changed."""
    if not steps:
        st.caption("No steps yet: the table is as it was read.")
    for number, step in enumerate(steps):
        effect = stored.get(prefix(steps[: number + 1]))
        with st.container(border=True):
            st.markdown(f"**{number + 1}.** {frame.plain(describe(step))}")
            if effect is not None:
                _effect(effect, "")
            elif preview is not None and number < len(preview.effects):
                _effect(preview.effects[number], f" in the first {preview.rows:,} rows, not applied yet")
            elif preview is not None and number == len(preview.effects) and preview.error is not None:
                frame.show_error(preview.error.message, preview.error.hint)
            else:
                st.caption("Not applied yet.")
            if preview is not None:
                with st.container(horizontal=True, gap="small"):
                    _step_buttons(dataset, steps, number)


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
            on_click=save,
            args=(dataset, moved(to)) if 0 <= to < len(steps) else (dataset, steps),
        )
    st.button(
        "Remove",
        icon=":material/close:",
        type="tertiary",
        key=f"data-prepare-remove-{number}",
        on_click=save,
        args=(dataset, [step for index, step in enumerate(steps) if index != number]),
    )
