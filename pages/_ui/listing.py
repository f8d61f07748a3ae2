"""A table of objects in which selecting a row opens the object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import pandas as pd
import streamlit as st

from pages._ui import address

if TYPE_CHECKING:
    from streamlit.elements.lib.column_types import ColumnConfig

__all__ = ["show"]


def show(
    table: pd.DataFrame,
    ids: Sequence[str],
    *,
    key: str,
    parameter: str,
    alt: str,
    column_config: Mapping[str, ColumnConfig] | None = None,
    height: Literal["auto", "content"] | int = "content",
    row_height: int | None = None,
    query: Mapping[str, str] | None = None,
) -> None:
    """Draw the table; a row that is selected opens the object of its id.

    Parameters
    ----------
    table : DataFrame
        One row per object.
    ids : sequence of str
        Identifier of the object in each row.
    key : str
        Key of the widget.
    parameter : str
        Parameter of the address that names the open object, such as "run".
    alt : str
        Description of the table for assistive technologies.
    column_config : mapping, optional
        Configuration of columns by name.
    height : {"content", "auto"} or int, default="content"
        Height of the table.
    row_height : int, optional
        Height of a row in pixels.
    query : mapping, optional
        Other parameters of the address that the object has, such as its dataset.

    Notes
    -----
    The callback runs before the script, so a position is looked up in the ids of the table that the user saw, even
    where rows were added since. It does not navigate: inside a fragment only the fragment would run again.

    Each selection takes a widget of its own. The browser sends the selection again with whatever is pressed before the
    object's page is complete, such as the button that leads back, and the same widget would open the object once more.
    """
    chosen = st.session_state.pop(f"{key}-opened", None)
    if chosen is not None:
        address.go(**{**(query or {}), parameter: chosen})
    number = st.session_state.setdefault(f"{key}-number", 0)
    st.session_state[f"{key}-ids"] = list(ids)
    st.dataframe(
        table,
        hide_index=True,
        key=f"{key}-{number}",
        on_select=lambda: _select(key, number),
        selection_mode="single-row",
        height=height,
        row_height=row_height,
        placeholder="–",
        column_config=column_config,
        alt=alt,
    )


def _select(key: str, number: int) -> None:
    if number != st.session_state[f"{key}-number"]:
        return
    rows = st.session_state[f"{key}-{number}"].selection.rows
    if rows:
        st.session_state[f"{key}-number"] += 1
        st.session_state[f"{key}-opened"] = st.session_state[f"{key}-ids"][rows[0]]
