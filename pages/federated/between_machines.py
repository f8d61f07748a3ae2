"""Studies whose sites join from other machines: their form, and the state of each site while they work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.access import Role
from core.catalog import Run, RunEvent
from core.federated import ALGORITHMS, SITE_STATES, FederatedSettings
from core.tasks import federated_study
from pages._ui import address, downloads, frame
from pages.federated import live, loss_chart

__all__ = ["details", "form"]

_TASKS = {
    "auto": "As the sites see it",
    "binary": "Two classes",
    "multiclass": "Several classes",
    "regression": "A number",
}
_JOIN = "pip install -r requirements.txt -r requirements-federated.txt && pip install --no-deps .\n"


def form() -> None:
    """Draw the form of a study between machines; Create starts the run that leads it."""
    st.caption(
        "This machine coordinates: it sees sums and updates, and no rows. Each site gets a token, looks at what would "
        "leave, and joins with its own table. docs/federated.md says what is promised and what is not."
    )
    left, right = st.columns(2, gap="large")
    with left:
        target = st.text_input(
            "Target", help="Column to predict; each site's table has it.", key="federated-net-target"
        )
        task = st.selectbox("Task", list(_TASKS), format_func=_TASKS.__getitem__, key="federated-net-task")
        algorithm = st.selectbox(
            "Algorithm",
            list(ALGORITHMS),
            format_func=lambda name: ALGORITHMS[name].title,
            key="federated-net-algorithm",
        )
        st.caption(ALGORITHMS[algorithm].help)
    with right:
        names = st.text_area("Sites", placeholder="north\nsouth", help="One name per line.", key="federated-net-sites")
        sites = [name.strip() for name in names.splitlines() if name.strip()]
        reached = st.text_input(
            "Address",
            placeholder="coordinator.example.org:8470",
            help="Host and port at which the sites reach this machine. The port has to be open for them.",
            key="federated-net-address",
        )
        enough = st.number_input(
            "Minimum sites",
            min_value=2,
            max_value=max(2, len(sites)),
            help="The study begins when as many have approved, and a round needs as many.",
            key="federated-net-enough",
        )
    missing = _missing(target, sites, reached)
    if missing:
        st.caption(missing)
    if st.button(
        "Create study", type="primary", icon=":material/hub:", disabled=bool(missing), key="federated-net-create"
    ):
        settings = FederatedSettings(target=target, task=task, algorithm=algorithm, min_sites=int(enough), folds=0)
        address.go(run=federated_study.submit(settings, sites, reached, access=frame.access()))


def _missing(target: str, sites: Sequence[str], reached: str) -> str:
    """Return what the form lacks; empty where nothing does."""
    if not target:
        return "Name the column to predict."
    if len(sites) < 2:
        return "Name two sites or more."
    return "" if reached else "Name the address of this machine."


def details(run: Run, events: list[RunEvent]) -> None:
    """Draw the state of each site, its token, and the rounds so far."""
    states: dict[str, Any] = federated_study.site_states(run, access=frame.access())
    if states["sites"]:
        st.subheader("Sites")
        rows = pd.DataFrame(
            [
                {
                    "Site": site,
                    "State": record["state"].capitalize(),
                    "Meaning": record["reason"] or f"It {SITE_STATES[record['state']]}.",
                    "Since": pd.Timestamp(record["since"]),
                }
                for site, record in states["sites"].items()
            ]
        )
        st.dataframe(
            rows,
            hide_index=True,
            height="content",
            column_config={"Since": st.column_config.DatetimeColumn("Since", format="D MMM, HH:mm:ss")},
            alt="The state of each site of the study",
        )
    _tokens(run)
    rounds = [event.values for event in events if event.phase == "train" and "by_site" in event.values]
    if rounds:
        loss_chart.show(rounds)
        if missing := live.missed(rounds):
            st.caption(frame.plain(missing))


def _tokens(run: Run) -> None:
    """Draw a download per token, and what a site's operator does with it."""
    if run.state.terminal or not frame.access().may(Role.EDITOR):
        return
    paths = federated_study.tokens(run, access=frame.access())
    if not paths:
        return
    with st.expander("Tokens of the sites", icon=":material/key:", expanded=True, key="federated-net-tokens"):
        st.caption("Whoever has a token can join as that site: send each to its site alone, like a password.")
        with st.container(horizontal=True):
            for site, path in paths.items():
                downloads.button(
                    frame.plain(site),
                    path.read_bytes,
                    file_name=f"{site}.token",
                    mime="text/plain",
                    icon=":material/download:",
                    key=f"federated-net-token-{site}",
                    on_click="ignore",
                )
        site = next(iter(paths))
        st.caption("Its operator installs Plumbline, looks at the proposal, and says yes:")
        st.code(f"{_JOIN}plumbline-site join {site}.token --table {site}.csv", language="sh")
