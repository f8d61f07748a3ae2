"""All versions of a model, and what can be done with the one in focus."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from core import models
from core.catalog import ModelEvent, ModelVersion
from core.catalog import models as rows
from pages._ui import address, charts, frame, numbers, written
from pages.models import figures
from pages.models.figures import Opened

__all__ = ["show"]

_TILES = 5
_MOST_METRICS = 4
_ACTED = "models-versions-acted"
_COLORS = {rows.CHAMPION: "green", "challenger": "blue", rows.ARCHIVED: "gray"}


def show(opened: Opened) -> None:
    """Draw the figures of the version in focus, all versions, and the actions."""
    _tiles(opened.version)
    _chart(opened)
    _table(opened)
    _actions(opened)


def _tiles(version: ModelVersion) -> None:
    measured = list(figures.metrics(version).items())[:_TILES]
    if not measured:
        st.caption("Nothing was measured on test rows.")
        return
    st.caption(f"Version {version.number} on {measured[0][1]['n']:,} test rows, with 95 % intervals")
    with st.container(horizontal=True):
        for metric, item in measured:
            st.metric(
                figures.title(metric),
                numbers.estimate(item["value"], item["low"], item["high"]),
                numbers.interval(item["low"], item["high"]),
                delta_color="off",
                delta_arrow="off",
                border=True,
                width="stretch",
            )


def _chart(opened: Opened) -> None:
    own = opened.version.lineage["metric"]
    shown = [opened.version, *(version for version in opened.versions if version.id != opened.version.id)]
    estimates = {
        figures.name(version, opened.aliases): estimate
        for version in shown
        if version.archived_at is None and (estimate := figures.metrics(version).get(own)) is not None
    }
    if len(estimates) > 1:
        st.markdown("**Each version on its own test rows, with 95 % intervals**")
        charts.intervals(estimates, figures.title(own))


def _table(opened: Opened) -> None:
    measured = {version.id: figures.metrics(version) for version in opened.versions}
    names = list(dict.fromkeys(metric for found in measured.values() for metric in found))[:_MOST_METRICS]
    called = {version.id: _called(opened, version.number, version.archived_at) for version in opened.versions}
    labels = sorted({alias for each in called.values() for alias in each})
    table = pd.DataFrame(
        [
            {
                "Version": version.number,
                "Aliases": called[version.id],
                **{figures.title(metric): figures.told(measured[version.id].get(metric)) for metric in names},
                "Test rows": next((found["n"] for found in measured[version.id].values()), None),
                "Registered": numbers.when(version.created_at),
                "Notes": version.notes or None,
            }
            for version in opened.versions
        ]
    )
    st.dataframe(
        table,
        hide_index=True,
        placeholder="–",
        column_config={
            "Version": st.column_config.NumberColumn(format="%d", width="small"),
            "Aliases": st.column_config.MultiselectColumn(
                options=labels, color=[_COLORS.get(label, "primary") for label in labels]
            ),
            "Test rows": st.column_config.NumberColumn(format="localized"),
            "Registered": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm"),
            "Notes": st.column_config.TextColumn(width="medium"),
        },
        alt="Versions, newest first, with their figures and 95 % intervals",
    )


def _called(opened: Opened, number: int, archived_at: float | None) -> list[str]:
    if archived_at is not None:
        return [rows.ARCHIVED]
    return [alias for alias, pointed in opened.aliases.items() if pointed == number]


def _actions(opened: Opened) -> None:
    version = opened.version
    past = models.history(version.model_id, workspace=frame.workspace())
    # A change made here gives the fields new keys, so that none is made for the reason of the one before. One made
    # elsewhere does not: what is written in them stays.
    key = f"{version.id}-{st.session_state.get(_ACTED, 0)}"
    st.subheader(f"Version {version.number}")
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, key="models-version-actions"):
        why = st.text_input("Why", key=f"models-why-{key}", max_chars=500, placeholder="For the history").strip()
        with st.container(horizontal=True):
            _promotion(opened, past, why)
            _use(opened, why)
        if version.archived_at is None:
            _aliases(opened, key, why)
    with right:
        _notes(version)


def _notes(version: ModelVersion) -> None:
    field = f"models-notes-{version.id}"
    with st.form(f"models-notes-form-{version.id}"):
        written.follow(field, version.notes)
        notes = st.text_area("Notes", height=130, max_chars=5_000, key=field)
        if not st.form_submit_button("Save the notes", icon=":material/save:", key=f"models-save-notes-{version.id}"):
            return
        if written.edited(field, notes) and written.overtaken(field, version.notes):
            frame.show_error(
                f"The notes were changed elsewhere meanwhile: {version.notes or '(nothing)'}",
                "Yours are still in the field. Save again to put them in the place of those.",
            )
        else:
            _act(models.set_notes, version, version.number, notes.strip())


# The buttons' keys name the version: a press that arrives once another is in focus must not be taken for one on that.
def _act(change: Callable[..., object], version: ModelVersion, *arguments: object, **values: str) -> None:
    with frame.errors_shown():
        change(version.model_id, *arguments, **values, who=address.who(), workspace=frame.workspace())
        st.session_state[_ACTED] = st.session_state.get(_ACTED, 0) + 1
        # The version stays in focus, even where the change makes another one the first to show.
        address.remember("version", str(version.number), st.query_params.get("version"))
        st.rerun()


def _promotion(opened: Opened, past: list[ModelEvent], why: str) -> None:
    version, champion = opened.version, opened.aliases.get(rows.CHAMPION)
    usable = version.archived_at is None and version.number != champion
    if usable and st.button(
        "Promote to champion", type="primary", icon=":material/trophy:", key=f"models-promote-{version.id}"
    ):
        _act(models.promote, version, version.number, why=why)
    crowned = [event for event in past if event.alias == rows.CHAMPION and event.number is not None]
    if (
        champion is not None
        and len(crowned) > 1
        and st.button(
            "Roll back",
            icon=":material/undo:",
            key="models-roll-back",
            help=f"Makes the champion before version {champion} the champion again.",
        )
    ):
        _act(models.roll_back, version, why=why)


def _use(opened: Opened, why: str) -> None:
    version = opened.version
    if version.archived_at is not None:
        if st.button(
            "Restore", icon=":material/unarchive:", key=f"models-restore-{version.id}", help="Takes it back into use."
        ):
            _act(models.restore, version, version.number, why=why)
    elif version.number != opened.aliases.get(rows.CHAMPION) and st.button(
        "Archive",
        icon=":material/archive:",
        key=f"models-archive-{version.id}",
        help="Takes it out of use: its aliases go, all else stays.",
    ):
        _act(models.archive, version, version.number, why=why)


def _aliases(opened: Opened, key: str, why: str) -> None:
    version = opened.version
    with st.container(horizontal=True, vertical_alignment="bottom"):
        alias = st.text_input(
            "Alias",
            key=f"models-alias-{key}",
            max_chars=40,
            placeholder="challenger",
            width=200,
            help="A name that programs ask for. It points to one version at a time.",
        ).strip()
        if st.button("Set", icon=":material/new_label:", key=f"models-set-alias-{version.id}"):
            _act(models.set_alias, version, alias, version.number, why=why)
        for own in _called(opened, version.number, None):
            if st.button(f"Remove {own}", icon=":material/label_off:", key=f"models-remove-{own}-{version.id}"):
                _act(models.remove_alias, version, own, why=why)
