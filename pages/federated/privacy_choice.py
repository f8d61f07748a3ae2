"""The privacy of a study: what the coordinator sees, and the noise that hides single rows in the model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.errors import PlumblineError
from core.federated import AGGREGATIONS, ALGORITHMS, MIN_COUNT, FederatedSettings, noise_for
from pages._ui import frame
from pages._ui.model_fields import default, number
from pages.federated.study_data import StudyData

__all__ = ["choose"]

_NONE, _PER_ROW = "none", "row"
_NOISES = {_NONE: "No noise", _PER_ROW: "Differential privacy per row"}
_ASSUMES = ("trimmed_mean", "krum")
_EPSILON = 3.0
_LARGE_EPSILON = 10.0


@dataclass(frozen=True)
class _Steps:
    """Steps of the smallest site: chance of a row to be in one, and their number in all rounds."""

    rows: int
    rate: float
    count: int


def choose(data: StudyData, values: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Draw the choices; return the settings, and what is missing before a study can start.

    Parameters
    ----------
    data : StudyData
        Tables of the study.
    values : mapping
        Settings that were chosen so far: the algorithm, its rounds and all that it uses.
    """
    algorithm = ALGORITHMS[values["algorithm"]]
    st.caption(
        f"No row leaves a site, and no count of fewer than {MIN_COUNT} rows. What does leave one is listed with the "
        "result, message by message."
    )
    if not algorithm.averages:
        st.markdown(
            ":material/lock: **Secure sums, always on.** The coordinator sees the sum over all sites, not what one of "
            "them sent, which can rest on few rows."
        )
        st.caption(
            "Its sums are exact, so there is no aggregation to choose and no noise. For differential privacy, choose "
            "an algorithm that averages, such as FedAvg."
        )
        return {}, ""
    left, right = st.columns(2, gap="large")
    with left:
        own = _aggregation(data)
    with right:
        noise, missing = _noise(data, values)
    return own | noise, missing


def _aggregation(data: StudyData) -> dict[str, Any]:
    name: str = st.selectbox(
        "Aggregation",
        list(AGGREGATIONS),
        format_func=lambda item: AGGREGATIONS[item].title,
        key="federated-aggregation",
    )
    st.caption(frame.plain(AGGREGATIONS[name].help))
    values: dict[str, Any] = {"aggregation": name}
    if name in _ASSUMES:
        most = max(1, len(data.large_sites) // 2)
        values["assumed_faulty"] = st.number_input(
            "Sites that may be faulty",
            **number(FederatedSettings, "assumed_faulty") | {"max_value": most},
            step=1,
            key=f"federated-faulty-{most}",
        )
    summed = AGGREGATIONS[name].summed
    secure = st.toggle(
        "Secure sums",
        value=default(FederatedSettings, "secure_sums") and summed,
        disabled=not summed,
        help="Masks hide what each site sends; only the sum over all sites can be read.",
        key=f"federated-secure-{'sums' if summed else 'none'}",
    )
    if not summed:
        st.caption(
            ":material/visibility: The coordinator sees the update of each site: it has to compare them. An update can "
            "tell something of the rows behind it."
        )
    elif not secure:
        st.caption(":material/visibility: The coordinator sees the update of each site.")
    return values | {"secure_sums": secure}


def _noise(data: StudyData, values: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    chosen = st.radio(
        "Noise",
        list(_NOISES),
        format_func=_NOISES.__getitem__,
        captions=[
            "The model may remember single rows.",
            "Limits what the model can show of any one row; costs accuracy.",
        ],
        key="federated-noise",
    )
    if chosen == _NONE:
        return {"noise_multiplier": None}, ""
    first, second = st.columns(2, gap="small")
    with first:
        epsilon = st.number_input(
            "Epsilon",
            min_value=0.01,
            max_value=1_000.0,
            value=_EPSILON,
            step=0.5,
            format="%.4g",
            help="Privacy budget of a row for the whole training. Smaller is more private.",
            key="federated-epsilon",
        )
    with second:
        clip = st.number_input(
            "Clipping norm",
            min_value=0.0001,
            value=default(FederatedSettings, "clip"),
            step=0.1,
            format="%.4g",
            help="Largest norm of the gradient of one row; the noise is relative to it.",
            key="federated-clip",
        )
    delta = default(FederatedSettings, "delta")
    steps = _steps(data, values)
    if steps is None:
        return {"noise_multiplier": None}, "The noise depends on the rows of the smallest site. Choose the sites."
    try:
        noise = _noise_multiplier(epsilon, steps.rate, steps.count, delta)
    except PlumblineError as error:
        return {"noise_multiplier": None}, f"{error.message} {error.hint}"
    st.markdown(
        f"The standard deviation of the noise is **{noise:.3g} times** the clipping norm: "
        f"{steps.count:,} steps of {100 * steps.rate:.3g}% of {steps.rows:,} rows, at the smallest site."
    )
    st.caption(_meaning(epsilon, delta))
    return {"noise_multiplier": noise, "clip": clip}, ""


def _meaning(epsilon: float, delta: float) -> str:
    """Return what an epsilon means, in one sentence."""
    factor = math.exp(min(epsilon, 50.0))
    size = f"{factor:.3g}" if factor < 1_000 else "more than 1,000"
    promised = (
        f"Epsilon {epsilon:g}: with and without any one row, the chance of any model differs by a factor of at most "
        f"{size} (delta {delta:g})."
    )
    return promised if epsilon <= _LARGE_EPSILON else f"{promised} So large an epsilon promises next to nothing."


def _steps(data: StudyData, values: Mapping[str, Any]) -> _Steps | None:
    """Return the steps of the smallest site that takes part, which needs the most noise."""
    rows = min(data.large_sites.values(), default=0)
    rows = math.floor(rows * (1 - values["test_fraction"]))
    if rows < 1:
        return None
    batch = values.get("batch_size", default(FederatedSettings, "batch_size"))
    rate = 1.0 if batch is None else min(1.0, batch / rows)
    epochs = values.get("local_epochs", default(FederatedSettings, "local_epochs"))
    rounds = FederatedSettings(target="target", algorithm=values["algorithm"], rounds=values["rounds"]).rounds_to_train
    return _Steps(rows, rate, rounds * max(1, round(epochs / rate)))


@st.cache_data(max_entries=200, show_spinner="Computing the noise")
def _noise_multiplier(epsilon: float, rate: float, steps: int, delta: float) -> float:
    return noise_for(epsilon, rate, steps, delta)
