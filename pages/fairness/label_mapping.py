"""Predicted labels that are written in another way than the true ones: what each of them means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.fairness import match_labels
from pages._ui import frame

__all__ = ["OTHER", "choose_mapping"]

OTHER = "another outcome"
"""Meaning of a predicted label that is none of the true ones."""

_MAX_UNKNOWN = 12


def choose_mapping(truth: Sequence[str], predicted: Sequence[str], key: str) -> Mapping[str, str] | None:
    """Draw the choice of what predicted labels mean that never occur among the true ones; None until it is made.

    Parameters
    ----------
    truth, predicted : sequence of str
        Distinct true and predicted labels.
    key : str
        Key of the widgets.
    """
    match = match_labels(truth, predicted)
    if not match.unknown:
        return {}
    listed = ", ".join(f"'{label}'" for label in match.unknown[:_MAX_UNKNOWN])
    if len(match.unknown) > _MAX_UNKNOWN:
        frame.show_error(
            f"{len(match.unknown):,} predicted labels never occur among the true ones: {listed} ...",
            "Choose another column as the prediction.",
        )
        return None
    what = "never occurs among the true labels. Check what it means"
    if len(match.unknown) > 1:
        what = "never occur among the true labels. Check what they mean"
    st.warning(
        frame.plain(f"Predicted {listed} {what}."),
        icon=":material/rule:",
    )
    mapping: dict[str, str] = {}
    for label in match.unknown:
        # Alike but for its spelling: suggested. Without any label in common nothing can be said for the user.
        default = match.alike.get(label, OTHER if match.shared else None)
        options = [*truth, OTHER]
        meaning = st.selectbox(
            f"Predicted '{frame.plain(label)}' means",
            options,
            index=None if default is None else options.index(default),
            placeholder="One of the true labels",
            key=f"fairness-mapping-{key}-{label}",
        )
        if meaning is not None:
            mapping[label] = meaning
    return mapping if len(mapping) == len(match.unknown) else None
