"""Samples of studies: one press loads the table, if need be, and fills the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.catalog import Dataset, Run, RunState
from core.datasets import Sample
from core.datasets import samples as known_samples
from core.tasks import ingest
from pages._ui import address, frame, header, lookups, run_view

__all__ = ["STUDIES", "StudySample", "offer", "wait"]

_FOLLOWED = "federated-sample-followed"


@dataclass(frozen=True)
class StudySample:
    """A sample table with a column of sites.

    Parameters
    ----------
    name : str
        Name of the sample.
    title : str
        Label of the button.
    site_column : str
        Column whose values are the sites.
    algorithm : str
        Key of the algorithm to begin with: on many rows a quick one.
    """

    name: str
    title: str
    site_column: str
    algorithm: str

    @property
    def sample(self) -> Sample:
        """The sample table."""
        return next(sample for sample in known_samples() if sample.name == self.name)

    def query(self, dataset_id: str) -> dict[str, str]:
        """Return the address that fills the form with a table of the sample."""
        return {
            "dataset": dataset_id,
            "target": self.sample.target,
            "sites": self.site_column,
            "algorithm": self.algorithm,
        }


STUDIES = (
    StudySample("german_credit", "German credit by purpose", "purpose", "boosting"),
    StudySample("adult", "Adult by country of birth", "native-country", "linear"),
)
"""The samples that are offered."""


def offer(by_id: Mapping[str, Dataset]) -> None:
    """Draw a button per sample.

    Parameters
    ----------
    by_id : mapping of str to Dataset
        Datasets that are there; without any, a sample is the way to begin.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Try a sample:", width="content")
        for study in STUDIES:
            st.button(
                study.title,
                type="secondary" if by_id else "primary",
                icon=":material/science:",
                help=f"{study.sample.description} {study.sample.rows:,} rows; the sites are the values of "
                f"{frame.plain(study.site_column)}.",
                key=f"federated-sample-{study.name}",
                on_click=_take,
                args=(study, dict(by_id)),
            )


def _take(study: StudySample, by_id: Mapping[str, Dataset]) -> None:
    """Fill the form with the sample's table, or load it first, in a callback."""
    source = f"Sample: {study.sample.source}"
    loaded = next((item for item in by_id.values() if item.source == source and item.number == 1), None)
    if loaded is not None:
        address.set_query(**study.query(loaded.id))
        return
    with frame.errors_shown():
        run_id = ingest.submit_sample(study.name, access=frame.access())
        st.session_state[_FOLLOWED] = run_id
        address.set_query(sample=run_id)


def wait(run: Run) -> None:
    """Show the import of a sample; when it ends, this window opens the form with it.

    Where Back, a reload or a link leads to an import that has ended, the form is linked, so that Back does not lead
    forward.
    """
    header.show_object(run.title, back="New study")
    if not run.state.terminal:
        st.session_state[_FOLLOWED] = run.id
    run = run_view.show_run(run.id)
    study = next((study for study in STUDIES if study.name == run.settings.get("sample")), None)
    if run.state is not RunState.SUCCEEDED or study is None:
        return
    dataset = lookups.existing_dataset((run.result or {}).get("dataset_id"))
    if dataset is None:
        st.info("The sample was loaded; its dataset was deleted since.", icon=":material/delete:")
        return
    if st.session_state.pop(_FOLLOWED, None) == run.id:
        address.go(**study.query(dataset.id))
    if st.button("Set the study up", type="primary", icon=":material/arrow_forward:", key="federated-open-sample"):
        address.go(**study.query(dataset.id))
