"""The tab Versions: all versions of a model, and the actions on the one in focus."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from core import models
from core.access import Role
from core.catalog import ModelEvent, ModelVersion, promotions, workspaces
from core.catalog import models as rows
from pages._ui import address, charts, frame, numbers, written
from pages.models import metrics
from pages.models.metrics import OpenModel

__all__ = ["show"]

_TILES = 5
_MAX_METRICS = 4
_ACTED = "models-versions-acted"
_COLORS = {rows.CHAMPION: "green", "challenger": "blue", rows.ARCHIVED: "gray"}


def show(opened: OpenModel) -> None:
    """Draw the metrics of the version in focus, all versions, and the actions."""
    _tiles(opened.version)
    _chart(opened)
    _versions_table(opened)
    _actions(opened)


def _tiles(version: ModelVersion) -> None:
    measured = list(metrics.test_metrics(version).items())[:_TILES]
    if not measured:
        st.caption("There are no metrics: no rows were held out for a test.")
        return
    st.caption(f"Version {version.number} on {measured[0][1].n:,} test rows, with 95% intervals")
    with st.container(horizontal=True):
        for metric, estimate in measured:
            st.metric(
                metrics.metric_title(metric),
                numbers.estimate(estimate.value, estimate.low, estimate.high),
                numbers.interval(estimate.low, estimate.high),
                delta_color="off",
                delta_arrow="off",
                border=True,
                width="stretch",
            )


def _chart(opened: OpenModel) -> None:
    own = opened.version.lineage["metric"]
    shown = [opened.version, *(version for version in opened.versions if version.id != opened.version.id)]
    estimates = {
        metrics.version_name(version, opened.aliases): estimate
        for version in shown
        if version.archived_at is None and (estimate := metrics.test_metrics(version).get(own)) is not None
    }
    if len(estimates) > 1:
        st.markdown("**Each version on its own test rows, with 95% intervals**")
        charts.intervals(metrics.interval_parts(estimates), metrics.metric_title(own))


def _versions_table(opened: OpenModel) -> None:
    measured = {version.id: metrics.test_metrics(version) for version in opened.versions}
    names = list(dict.fromkeys(metric for estimates in measured.values() for metric in estimates))[:_MAX_METRICS]
    aliases = {version.id: _aliases_of(opened, version.number, version.archived_at) for version in opened.versions}
    labels = sorted({alias for own in aliases.values() for alias in own})
    table = pd.DataFrame(
        [
            {
                "Version": version.number,
                "Aliases": aliases[version.id],
                **{
                    metrics.metric_title(metric): metrics.format_estimate(measured[version.id].get(metric))
                    for metric in names
                },
                "Test rows": next((estimate.n for estimate in measured[version.id].values()), None),
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
        alt="Versions, newest first, with their metrics and 95% intervals",
    )


def _aliases_of(opened: OpenModel, number: int, archived_at: float | None) -> list[str]:
    if archived_at is not None:
        return [rows.ARCHIVED]
    return [alias for alias, pointed in opened.aliases.items() if pointed == number]


def _actions(opened: OpenModel) -> None:
    if not frame.access().may(Role.EDITOR):
        return
    version = opened.version
    events = models.history(version.model_id, access=frame.access())
    # A change made here gives the fields new keys, so that the next change does not reuse its reason. A change made
    # elsewhere does not: what the user has written stays.
    key = f"{version.id}-{st.session_state.get(_ACTED, 0)}"
    st.subheader(f"Version {version.number}")
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, key="models-version-actions"):
        why = st.text_input(
            "Why", key=f"models-why-{key}", max_chars=500, placeholder="Reason, for the history"
        ).strip()
        with st.container(horizontal=True):
            _promotion(opened, events, why)
            _archiving(opened, why)
        if version.archived_at is None:
            _aliases(opened, key, why)
    with right:
        _notes(version)


def _notes(version: ModelVersion) -> None:
    field = f"models-notes-{version.id}"
    with st.form(f"models-notes-form-{version.id}"):
        written.follow(field, version.notes)
        notes = st.text_area("Notes", height=130, max_chars=5_000, key=field)
        if not st.form_submit_button("Save notes", icon=":material/save:", key=f"models-save-notes-{version.id}"):
            return
        if written.edited(field, notes) and written.overtaken(field, version.notes):
            frame.show_error(
                f"The notes were changed elsewhere in the meantime: {version.notes or '(nothing)'}",
                "Yours are still in the field. Save again to replace the others.",
            )
        else:
            _act(models.set_notes, version, version.number, notes.strip())


# The buttons' keys name the version: a press that arrives after the focus changed must not act on the other version.
def _act(change: Callable[..., object], version: ModelVersion, *arguments: object, **values: str) -> None:
    with frame.errors_shown():
        change(version.model_id, *arguments, **values, access=frame.access())
        st.session_state[_ACTED] = st.session_state.get(_ACTED, 0) + 1
        # The version stays in focus, even where the change makes another one the first to show.
        address.remember("version", str(version.number), st.query_params.get("version"))
        st.rerun()


def _promotion(opened: OpenModel, events: list[ModelEvent], why: str) -> None:
    version, champion = opened.version, opened.aliases.get(rows.CHAMPION)
    usable = version.archived_at is None and version.number != champion
    two_people, needs_reason = workspaces.rules(access=frame.access())
    asked = promotions.waiting(version.model_id, access=frame.access()) if two_people else None
    if usable and st.button(
        "Ask to promote" if two_people else "Promote to champion",
        type="primary",
        icon=":material/trophy:",
        key=f"models-promote-{version.id}",
        disabled=asked is not None,
        help=_rules_help(two_people, needs_reason)
        if asked is None
        else f"Version {asked.number} waits to become champion: that has to be decided first.",
    ):
        _act(promotions.request if two_people else models.promote, version, version.number, why=why)
    past = [event for event in events if event.alias == rows.CHAMPION and event.number is not None]
    if (
        champion is not None
        and len(past) > 1
        and not two_people  # the earlier version is asked for like any other
        and st.button(
            "Roll back",
            icon=":material/undo:",
            key="models-roll-back",
            help=f"Makes the champion before version {champion} the champion again.",
        )
    ):
        _act(models.roll_back, version, why=why)


def _rules_help(two_people: bool, needs_reason: bool) -> str | None:
    sentences = [
        *(["Another editor or admin of the workspace confirms it."] if two_people else []),
        *(["Write a reason first."] if needs_reason else []),
    ]
    return " ".join(sentences) or None


def _archiving(opened: OpenModel, why: str) -> None:
    version = opened.version
    if version.archived_at is not None:
        if st.button(
            "Restore",
            icon=":material/unarchive:",
            key=f"models-restore-{version.id}",
            help="Returns the version to use.",
        ):
            _act(models.restore, version, version.number, why=why)
    elif version.number != opened.aliases.get(rows.CHAMPION) and st.button(
        "Archive",
        icon=":material/archive:",
        key=f"models-archive-{version.id}",
        help="Takes the version out of use: its aliases are removed, everything else stays.",
    ):
        _act(models.archive, version, version.number, why=why)


def _aliases(opened: OpenModel, key: str, why: str) -> None:
    version = opened.version
    with st.container(horizontal=True, vertical_alignment="bottom"):
        alias = st.text_input(
            "Alias",
            key=f"models-alias-{key}",
            max_chars=40,
            placeholder="challenger",
            width=200,
            help="A name that programs refer to. It points to one version at a time.",
        ).strip()
        if st.button("Set", icon=":material/new_label:", key=f"models-set-alias-{version.id}"):
            _act(models.set_alias, version, alias, version.number, why=why)
        for own in _aliases_of(opened, version.number, None):
            title = f"Remove {frame.plain(own)}"
            if st.button(title, icon=":material/label_off:", key=f"models-remove-{own}-{version.id}"):
                _act(models.remove_alias, version, own, why=why)
