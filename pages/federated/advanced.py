"""Advanced settings of a study, with their defaults, and a label that lists the changes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.federated import FederatedSettings
from pages._ui.model_fields import default, number
from pages.federated import algorithm
from pages.federated.study_data import StudyData

__all__ = ["show"]

_LEAST_TEST = 5  # percent: without a test there is nothing to compare the sites by
_FOLDS = (0, 2, 3, 5, 10)
# Names and defaults for the list of changes in the expander's label, by the widget's key.
_DEFAULTS: dict[str, tuple[str, Any]] = {
    "federated-test-share": ("test share", round(100 * default(FederatedSettings, "test_fraction"))),
    "federated-folds": ("folds", default(FederatedSettings, "folds")),
    "federated-pooled": ("pooled model", default(FederatedSettings, "pooled")),
    "federated-min-sites": ("minimum sites", default(FederatedSettings, "min_sites")),
    "federated-seed": ("seed", default(FederatedSettings, "seed")),
}


def show(data: StudyData, name: str) -> dict[str, Any]:
    """Draw the expander and return the settings it holds.

    Parameters
    ----------
    data : StudyData
        Tables of the study.
    name : str
        Key of the algorithm.
    """
    differing = [label for key, (label, initial) in _DEFAULTS.items() if st.session_state.get(key, initial) != initial]
    differing += algorithm.changed(name)
    label = "Advanced: " + (f"changed {', '.join(differing)}" if differing else "defaults")
    with st.expander(label, icon=":material/tune:", key="federated-advanced"):
        first, second, third = st.columns(3, gap="medium")
        with first:
            values = algorithm.further(name)
        with second:
            values |= _evidence()
        with third:
            values |= _columns(data)
    return values


def _evidence() -> dict[str, Any]:
    st.markdown("**Evidence**")
    test = st.slider(
        "Test rows (%)",
        **number(FederatedSettings, "test_fraction", scale=100) | {"min_value": _LEAST_TEST},
        step=5,
        key="federated-test-share",
        help="Rows of each site that no training sees.",
    )
    folds = st.selectbox(
        "Folds of out-of-fold predictions",
        _FOLDS,
        index=_FOLDS.index(default(FederatedSettings, "folds")),
        format_func=lambda item: "None" if item == 0 else str(item),
        help="The study is trained once more without each fold. Thresholds and groups with larger errors need them.",
        key="federated-folds",
    )
    pooled = st.toggle(
        "Compare with pooled training",
        value=default(FederatedSettings, "pooled"),
        help="Also trains on the rows of all sites in one place, which only a simulation can.",
        key="federated-pooled",
    )
    least = st.number_input(
        "Minimum sites per round",
        **number(FederatedSettings, "min_sites"),
        step=1,
        help="With fewer sites a round is not made.",
        key="federated-min-sites",
    )
    seed = st.number_input(
        "Seed",
        **number(FederatedSettings, "seed"),
        help="Seed of the splits and of the training.",
        key="federated-seed",
    )
    return {"test_fraction": test / 100, "folds": folds, "pooled": pooled, "min_sites": least, "seed": seed}


def _columns(data: StudyData) -> dict[str, Any]:
    st.markdown("**Columns**")
    roles, others = data.dataset.roles, list(data.others)
    dropped = st.multiselect(
        "Excluded columns",
        others,
        default=[name for name in roles.get("ignore", []) if name in others],
        help="Columns that the model must not use, such as values that are known only afterwards.",
        key=f"federated-drop-{data.key}-{len(others)}",
    )
    sensitive = st.multiselect(
        "Sensitive columns",
        others,
        default=[name for name in roles.get("sensitive", []) if name in others],
        help="Stored with the predictions, to compare results by group. Exclude them above as well if the "
        "model must not use them. The sites can be compared in any case.",
        key=f"federated-sensitive-{data.key}-{len(others)}",
    )
    return {"drop_columns": tuple(dropped), "sensitive_columns": tuple(sensitive)}
