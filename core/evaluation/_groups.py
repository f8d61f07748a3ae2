"""The columns of a stored table of predictions that have the groups and the weights of the rows."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["group_name", "groups_in", "weight_name", "weights_in"]

_NAME = "plumbline:group"
_WEIGHT = "plumbline:weight"


def group_name(taken: Collection[str]) -> str:
    """Return a name for the column of groups that no other column has.

    Parameters
    ----------
    taken : collection of str
        Names of the other columns.

    Examples
    --------
    >>> group_name(["y"])
    'plumbline:group'
    """
    return _free_name(_NAME, taken)


def weight_name(taken: Collection[str]) -> str:
    """Return a name for the column of weights that no other column has.

    Parameters
    ----------
    taken : collection of str
        Names of the other columns.

    Examples
    --------
    >>> weight_name(["plumbline:weight"])
    "plumbline:weight'"
    """
    return _free_name(_WEIGHT, taken)


def _free_name(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "'"
    return name


def groups_in(table: pd.DataFrame, target: str) -> NDArray[np.intp] | None:
    """Return the group of each row of a table of predictions; None where there are no groups.

    Parameters
    ----------
    table : DataFrame
        Predictions like ``AutoMLResult.test``, with row_id as the first column.
    target : str
        Column that was predicted.

    Examples
    --------
    >>> import pandas as pd
    >>> groups_in(pd.DataFrame({"row_id": [4], "y": [1.0], "prediction": [1.5]}), "y") is None
    True
    """
    # By its position too: a sensitive column may have any name, but is never the second column.
    name = str(table.columns[1]) if len(table.columns) > 1 else ""
    if name == target or not name.startswith(_NAME):
        return None
    return np.asarray(table[name].to_numpy(dtype=np.intp))


def weights_in(table: pd.DataFrame, target: str) -> NDArray[np.float64] | None:
    """Return the weight of each row of a table of predictions; None where all rows weigh the same.

    Parameters
    ----------
    table : DataFrame
        Predictions like ``AutoMLResult.test``, with row_id as the first column.
    target : str
        Column that was predicted.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"row_id": [4], "plumbline:weight": [2.5], "y": [1.0], "prediction": [1.5]})
    >>> weights_in(table, "y").tolist(), weights_in(table.drop(columns="plumbline:weight"), "y")
    ([2.5], None)
    """
    for name in table.columns[1:3]:  # after the groups, if any, and before the target
        if name == target:
            return None
        if str(name).startswith(_WEIGHT):
            return np.asarray(table[name].to_numpy(dtype=np.float64))
    return None
