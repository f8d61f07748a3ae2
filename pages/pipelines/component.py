"""One component: what goes in and comes out, its command and code, its versions."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import PipelineComponent
from core.catalog import components as component_rows
from core.errors import NotFoundError, PlumblineError
from core.pipelines import Component
from core.storage import get_store
from pages._ui import address, badges, downloads, frame, header, numbers
from pages.pipelines import components, reading

__all__ = ["find", "show"]

_SHOWN_BYTES = 200_000


def find(name: str) -> list[PipelineComponent]:
    """Return the registered versions of a component, the highest first; none where it came with the product alone.

    Raises
    ------
    NotFoundError
        When there is no such component.
    """
    rows = component_rows.versions(name, archived=True, access=frame.access())
    if not rows and name not in components.shipped():
        raise NotFoundError("There is no such component.", "The Pipelines page lists all components.")
    return rows


def show(name: str, rows: list[PipelineComponent]) -> None:
    """Draw a component."""
    query = {"tab": "Components"}
    if not rows:
        component = components.shipped()[name]
        badge = badges.Badge("Comes with Plumbline", "blue", ":material/verified:")
        facts = f"Version {component.version}"
        with header.show_object(name, back="All components", query=query, badge=badge, facts=facts):
            pass
        _describe(component, [])
        return
    row = _chosen(name, rows, query)
    if notice := st.session_state.pop("pipelines-notice", None):
        st.info(frame.plain(notice), icon=":material/info:")
    read = components.read_row(row)
    if isinstance(read, PlumblineError):
        frame.show_error(read.message, read.hint)
        st.code(row.source, language="yaml")
    else:
        _describe(read, list(row.code.items()))
    _history(rows)


def _chosen(name: str, rows: list[PipelineComponent], query: dict[str, str]) -> PipelineComponent:
    """Draw the header, with the choice of a version, and return the chosen one."""
    by_version = {row.version: row for row in rows}
    count = f"{len(rows)} version{'s' * (len(rows) != 1)}"
    shipped = " · stands in place of the one that comes with Plumbline" if name in components.shipped() else ""
    actions = header.show_object(name, back="All components", query=query, facts=f"{count}{shipped}")
    usable = [row.version for row in rows if row.archived_at is None] or list(by_version)
    key = "pipelines-component-version"
    shown = address.restore("version", list(by_version), usable[0], key)
    version = st.selectbox(
        "Version", list(by_version), format_func=lambda item: _label(by_version[item]), key=key, width=320
    )
    address.keep("version", version, shown, key)
    row = by_version[version]
    with actions:
        downloads.button(
            "Download",
            row.source,
            file_name=downloads.file_name(f"{name}-{version}", ".yml"),
            icon=":material/download:",
            key="pipelines-component-download",
            on_click="ignore",
        )
        with st.popover("Manage", icon=":material/settings:", key="pipelines-component-manage"):
            _manage(row)
    return row


def _label(row: PipelineComponent) -> str:
    words = [row.version, *row.labels, *(["archived"] if row.archived_at is not None else [])]
    return " · ".join(words)


def _manage(row: PipelineComponent) -> None:
    if row.archived_at is not None:
        st.button(
            "Restore",
            icon=":material/unarchive:",
            key="pipelines-restore",
            on_click=_restore,
            args=(row.name, row.version),
        )
        return
    with st.form("pipelines-label-form", border=False):
        label = st.text_input("Label", key="pipelines-label", help="A pipeline can name it: azureml:name@label.")
        if st.form_submit_button("Set the label", key="pipelines-set-label"):
            with frame.errors_shown():
                component_rows.set_label(row.name, row.version, label.strip(), access=frame.access())
                reading.forget()
                st.rerun()
    st.button(
        "Archive",
        icon=":material/archive:",
        key="pipelines-archive",
        on_click=_archive,
        args=(row.name, row.version),
        help="It is no longer the latest one. Pipelines that name this version still run.",
    )


def _archive(name: str, version: str) -> None:
    with frame.errors_shown():
        component_rows.archive(name, version, access=frame.access())
        reading.forget()


def _restore(name: str, version: str) -> None:
    with frame.errors_shown():
        component_rows.restore(name, version, access=frame.access())
        reading.forget()


def _describe(component: Component, code: list[tuple[str, str]]) -> None:
    if component.title or component.description:
        title = f"**{frame.plain(component.title)}.** " if component.title else ""
        st.markdown(f"{title}{frame.plain(component.description)}")
    st.subheader("Inputs")
    _ports(
        [
            {
                "Name": port.name,
                "Type": port.type,
                "Default": None if port.default is None else str(port.default),
                "Needed": "" if port.optional or port.default is not None else "yes",
                "Allowed": _allowed(port.low, port.high, port.choices),
                "Description": port.description or None,
            }
            for port in component.inputs.values()
        ],
        "inputs",
    )
    st.subheader("Outputs")
    _ports(
        [
            {"Name": port.name, "Type": port.type, "Description": port.description or None}
            for port in component.outputs.values()
        ],
        "outputs",
    )
    if component.command:
        st.subheader("Command")
        st.code(component.command, language="bash", wrap_lines=True)
    with st.expander("Source", icon=":material/code:"):
        st.code(component.source, language="yaml")
    for name, digest in code:
        with st.expander(
            frame.plain(name), icon=":material/description:", on_change="rerun", key=f"pipelines-code-{name}"
        ) as opened:
            if opened.open:
                _code(name, digest)


def _allowed(low: float | None, high: float | None, choices: tuple[str | int | float | bool, ...]) -> str | None:
    if choices:
        return ", ".join(map(str, choices))
    if low is None and high is None:
        return None
    return f"{'…' if low is None else low} to {'…' if high is None else high}"


def _ports(rows: list[dict[str, str | None]], noun: str) -> None:
    if not rows:
        st.caption(f"It has no {noun}.")
        return
    table = pd.DataFrame(rows).dropna(axis="columns", how="all")
    st.dataframe(table, hide_index=True, height="content", placeholder="–", alt=f"The {noun} of this component")


def _code(name: str, digest: str) -> None:
    with get_store().open(digest) as file:
        content = file.read(_SHOWN_BYTES + 1)
    try:
        text = content.decode() if len(content) <= _SHOWN_BYTES else None
    except UnicodeDecodeError:
        text = None
    if text is None:
        st.caption("It cannot be shown: it is binary, or too long.")
    else:
        st.code(text, language="python" if name.endswith(".py") else None, height=320)


def _history(rows: list[PipelineComponent]) -> None:
    st.subheader("History")
    ordered = sorted(rows, key=lambda row: -row.created_at)
    st.dataframe(
        pd.DataFrame(
            {
                "Version": [row.version for row in ordered],
                "Registered": [numbers.when(row.created_at) for row in ordered],
                "By": [row.who or None for row in ordered],
                "Labels": [row.labels or None for row in ordered],
                "Content": [row.digest[:12] for row in ordered],
                "State": ["archived" if row.archived_at is not None else "in use" for row in ordered],
            }
        ),
        hide_index=True,
        height="content",
        placeholder="–",
        column_config={
            "Registered": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm"),
            "Labels": st.column_config.ListColumn(),
        },
        alt="Versions of this component, newest first",
    )
