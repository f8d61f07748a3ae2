"""Types of arrays and labels that the modules of this package share."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["BoolArray", "Column", "Columns", "FloatArray", "IndexArray", "Interval", "Label", "LabelArray"]

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
IndexArray: TypeAlias = NDArray[np.intp]
LabelArray: TypeAlias = NDArray[Any]
"""Labels or predictions before they are read: text, numbers, booleans or objects."""

Interval: TypeAlias = tuple[FloatArray, FloatArray]
"""Lower and upper bounds, of one shape."""

Label: TypeAlias = Hashable
"""A label or the name of a group: text, a number, a boolean, or a tuple of these where columns are intersected."""

Column: TypeAlias = Sequence[Label] | LabelArray | pd.Series
"""One column of labels or of names of groups."""

Columns: TypeAlias = Column | Mapping[str, Column] | pd.DataFrame
"""One column or several: array-like, Series, DataFrame or mapping of shape (n,) or (n, columns)."""
