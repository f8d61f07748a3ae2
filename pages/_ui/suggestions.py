"""Columns that a next step suggests: in the address that leads to the step's page, and there as a sentence."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.catalog import Dataset
from core.datasets import NextStep, Profile, next_steps
from pages._ui import frame, tables

__all__ = ["explain", "query", "steps"]


def steps(dataset: Dataset) -> list[NextStep]:
    """Return the steps that fit a dataset, by its columns and their roles."""
    profile = Profile.from_dict(tables.profile(dataset.profile_digest))
    roles = dataset.roles
    return next_steps(profile, target=roles.get("target"), sensitive=roles.get("sensitive", []))


def query(dataset: Dataset, step: NextStep) -> dict[str, str]:
    """Return the parameters of the address that leads to a step: the dataset, and the columns that it suggests."""
    return {"dataset": dataset.id, **_choices(step)}


def explain(dataset: Dataset, name: str, chosen: Mapping[str, str | None]) -> None:
    """Say what was suggested and why, as long as the columns are those of the address and of the suggestion.

    Parameters
    ----------
    dataset : Dataset
        Dataset of the form.
    name : str
        Step that the form is for.
    chosen : mapping
        Columns that are chosen in the form, by the parameter of the address.
    """
    step = next((step for step in steps(dataset) if step.name == name), None)
    if step is None:
        return
    if all(st.query_params.get(key) == value == chosen.get(key) for key, value in _choices(step).items()):
        st.caption(f":material/lightbulb: Suggested: {frame.plain(step.reason)} Choose something else if it is wrong.")


def _choices(step: NextStep) -> dict[str, str]:
    """Return the columns of a step by parameter; of several columns of groups the first, since groups are crossed."""
    return {key: value if isinstance(value, str) else value[0] for key, value in step.columns.items()}
