"""The words of a text that a model's prediction depends on: each is left out in turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from core.errors import InputError
from core.registry import unknown_name

if TYPE_CHECKING:
    import pandas as pd

    from core.explain.explained_model import Array

__all__ = ["occlude"]

_WORDS = 200


def occlude(
    outputs: Callable[[list[str]], Array], text: str, labels: Sequence[str] | None, label: str | None = None
) -> pd.DataFrame:
    """Return the weight of each word of a text for a label.

    The weight of a word is the drop of the probability (or the number) when the word is left out: occlusion
    (Zeiler, Fergus 2014).

    Parameters
    ----------
    outputs : callable
        Takes texts and returns probabilities, shape (n, classes), or numbers, shape (n,).
    text : str
        The text; its first 200 words are used.
    labels : sequence of str or None
        Names of the classes; None for a number.
    label : str, optional
        Label that the weights are for; by default the predicted one.

    Returns
    -------
    DataFrame
        token and weight, in the order of the text.

    Raises
    ------
    InputError
        When the label is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> count = lambda texts: np.array([text.count("good") for text in texts], dtype=float)
    >>> occlude(count, "a good film", None)["weight"].tolist()
    [0.0, 1.0, 0.0]
    """
    import pandas as pd

    spans = [match.span() for match in re.finditer(r"\S+", text)][:_WORDS]
    output = outputs([text, *(text[:start] + text[end:] for start, end in spans)])
    if labels is not None:
        known = list(labels)
        if label is not None and label not in known:
            raise InputError(f"Unknown label '{label}'.", unknown_name(label, known, most=10))
        output = output[:, int(output[0].argmax()) if label is None else known.index(label)]
    return pd.DataFrame({"token": [text[start:end] for start, end in spans], "weight": output[0] - output[1:]})
