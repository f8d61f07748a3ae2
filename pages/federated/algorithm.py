"""The algorithm of a study, and the settings that it uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.federated import ALGORITHMS, FederatedSettings
from pages._ui import address, frame
from pages._ui.model_fields import default, number

__all__ = ["FIELDS", "changed", "choose", "further", "used"]


@dataclass(frozen=True)
class AlgorithmField:
    """A number among the settings of an algorithm.

    Parameters
    ----------
    title, help : str
        Label and explanation.
    step : int or float
        Step of the widget.
    placeholder : str, default=""
        Meaning of an empty field; one that cannot be empty has none.
    least : float or None, default=None
        Smallest value, where the setting has no inclusive limit.
    """

    title: str
    help: str
    step: float
    placeholder: str = ""
    least: float | None = None


FIELDS = {
    "local_epochs": AlgorithmField("Local epochs", "Times per round that a site sees its rows.", 1),
    "batch_size": AlgorithmField("Batch size", "Rows of a local step. Empty: all rows of the site.", 1, "all rows"),
    "hidden": AlgorithmField(
        "Hidden units", "Width of the two hidden layers. 0: none, which is a logistic or linear regression.", 8
    ),
    "proximal": AlgorithmField(
        "Proximal weight", "How strongly a site is held near the shared net. 0 is the same as FedAvg.", 0.05
    ),
    "server_learning_rate": AlgorithmField(
        "Coordinator's learning rate", "Step with which the coordinator follows the mean change.", 0.01, least=0.0001
    ),
    "max_leaves": AlgorithmField("Maximum leaves", "Leaves of a tree, at most.", 1),
    "min_leaf_rows": AlgorithmField("Minimum rows per leaf", "Over all sites together.", 5),
    "bins": AlgorithmField("Bins", "Bins of a number, at most. More bins are more bytes per message.", 1),
    "l2": AlgorithmField("L2 penalty", "Of squared coefficients, or of the leaves of trees. 0: none.", 0.5),
}
"""Settings of algorithms beside rounds and learning rate, by name."""
_AVERAGING = ("local_epochs", "batch_size", "hidden")
_USED = {
    "boosting": ("max_leaves", "min_leaf_rows", "bins", "l2"),
    "linear": ("l2",),
    "fedavg": _AVERAGING,
    "fedprox": (*_AVERAGING, "proximal"),
    "fedadam": (*_AVERAGING, "server_learning_rate"),
}
_EXACT_STEPS = ("linear",)  # algorithms that find the length of their steps themselves
_TREES = ("boosting",)


def used(algorithm: str) -> Sequence[str]:
    """Return the names of the further settings that an algorithm uses."""
    return _USED.get(algorithm, _AVERAGING if ALGORITHMS[algorithm].averages else ())


def choose() -> dict[str, Any]:
    """Let the user choose the algorithm, its rounds and its learning rate."""
    first, second, third = st.columns([2, 1, 1], gap="medium")
    with first:
        key = "federated-algorithm"
        shown = address.restore("algorithm", list(ALGORITHMS), default(FederatedSettings, "algorithm"), key)
        name: str = st.selectbox(
            "Algorithm", list(ALGORITHMS), format_func=lambda item: ALGORITHMS[item].title, key=key
        )
        address.keep("algorithm", name, shown, key)
        st.caption(frame.plain(ALGORITHMS[name].help))
    own = FederatedSettings(target="target", algorithm=name)
    with second:
        rounds = st.number_input(
            "Trees per class" if name in _TREES else "Rounds",
            min_value=1,
            max_value=10_000,
            value=None,
            step=1,
            placeholder=f"automatic: {own.rounds_to_train}",
            help="One after another. An exact algorithm ends earlier when it has converged."
            if not ALGORITHMS[name].averages
            else "In each round all sites train, and their changes are averaged.",
            key=f"federated-rounds-{name}",
        )
    values: dict[str, Any] = {"algorithm": name, "rounds": rounds or "auto"}
    if name not in _EXACT_STEPS:
        with third:
            rate = st.number_input(
                "Learning rate",
                min_value=0.0001,
                max_value=10.0,
                value=None,
                step=0.01,
                format="%.4g",
                placeholder=f"automatic: {own.step:g}",
                help="Weight of each tree." if name in _TREES else "Length of the steps in the sites' training.",
                key=f"federated-learning-rate-{name}",
            )
        values["learning_rate"] = rate or "auto"
    return values


def further(algorithm: str) -> dict[str, Any]:
    """Draw the further settings that an algorithm uses, and return them."""
    names = used(algorithm)
    if names:
        st.markdown(f"**{ALGORITHMS[algorithm].title}**")
    return {name: _field(name) for name in names}


def _field(name: str) -> Any:
    field = FIELDS[name]
    arguments: dict[str, Any] = number(FederatedSettings, name)
    if field.least is not None:
        arguments["min_value"] = field.least
    whole = isinstance(arguments["value"], int)
    return st.number_input(
        field.title,
        **arguments,
        step=int(field.step) if whole else float(field.step),
        format=None if whole else "%.4g",
        placeholder=field.placeholder or None,
        help=field.help,
        key=f"federated-{name}",
    )


def changed(algorithm: str) -> list[str]:
    """Return the titles of the further settings that are not the default."""
    return [
        FIELDS[name].title.lower()
        for name in used(algorithm)
        if st.session_state.get(f"federated-{name}", default(FederatedSettings, name))
        != default(FederatedSettings, name)
    ]
