"""Rows with their scores and with what was true of them: what thresholds are chosen and checked on."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.evaluation import groups_in, weights_in
from core.label_cells import has_label
from core.registry import unknown_name

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["LabeledScores"]


@dataclass(frozen=True)
class LabeledScores:
    """Scores of rows, and what was true of them.

    Parameters
    ----------
    truth : array of shape (n,)
        Whether a row has the label that the scores are about; for a number its true value.
    score : array of shape (n,)
        Probability of the label, or the predicted number.
    weight : array of shape (n,) or None, default=None
        Weight of each row.
    groups : array of shape (n,) or None, default=None
        Group of each row, where rows of one group belong together.
    """

    truth: NDArray[np.generic]
    score: NDArray[np.float64]
    weight: NDArray[np.float64] | None = None
    groups: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self.score)

    @classmethod
    def from_predictions(
        cls, table: pd.DataFrame, target: str, label: str | None = None, *, several: bool = False
    ) -> LabeledScores:
        """Return the scores of a stored table of predictions.

        Parameters
        ----------
        table : DataFrame
            Predictions like ``AutoMLResult.oof``.
        target : str
            Column that was predicted.
        label : str, optional
            Label that the scores are about; None for a number.
        several : bool, default=False
            Whether a row has any number of labels.

        Raises
        ------
        InputError
            When the table has no probabilities of the label.

        Examples
        --------
        >>> import pandas as pd
        >>> table = pd.DataFrame({"row_id": [0, 1], "y": ["no", "yes"], "prediction": ["no", "no"]})
        >>> table["p(yes)"] = [0.1, 0.4]
        >>> LabeledScores.from_predictions(table, "y", "yes").truth.tolist()
        [False, True]
        """
        weight, groups = weights_in(table, target), groups_in(table, target)
        if label is None:
            return cls(table[target].to_numpy(float), table["prediction"].to_numpy(float), weight, groups)
        name = f"p({label})"
        if name not in table.columns:
            labels = [str(column)[2:-1] for column in table.columns if str(column).startswith("p(")]
            raise InputError(f"The model does not predict '{label}'.", unknown_name(label, labels))
        truth = has_label(table[target], label, several=several)
        return cls(truth, table[name].to_numpy(float), weight, groups)

    def at_least(self, value: float) -> LabeledScores:
        """Return the rows of a predicted number, of which it is true whether they reach a value.

        The prediction stays the score, so that a threshold on it is chosen like one on a probability.

        Parameters
        ----------
        value : float
            Smallest true value that is looked for.

        Raises
        ------
        InputError
            When the value is not a finite number.

        Examples
        --------
        >>> rows = LabeledScores(np.array([1.0, 5.0, 9.0]), np.array([2.0, 6.0, 7.0]))
        >>> rows.at_least(5.0).truth.tolist()
        [False, True, True]
        """
        if not math.isfinite(value):
            raise InputError(f"The value is {value}.", "Give a finite number.")
        return replace(self, truth=np.asarray(self.truth, dtype=np.float64) >= value)
