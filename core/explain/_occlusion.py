"""Which words of a text a model's answer hangs on: each is left out in turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["occlude"]

_WORDS = 200


def occlude(
    outputs: Callable[[list[str]], NDArray[Any]], text: str, labels: Sequence[str] | None, label: str | None = None
) -> pd.DataFrame:
    """Return how much each word of a text speaks for a label.

    The weight of a word is what the probability (or the number) loses when the word is left out: occlusion
    (Zeiler, Fergus 2014).

    Parameters
    ----------
    outputs : callable
        Takes texts and returns probabilities, shape (n, classes), or numbers, shape (n,).
    text : str
        At most its first 200 words are looked at.
    labels : sequence of str or None
        The classes; None for a number.
    label : str, optional
        By default the one that is predicted.

    Returns
    -------
    DataFrame
        token, weight; in the order of the text.

    Raises
    ------
    InputError
        When there is no such label.

    Examples
    --------
    >>> import numpy as np
    >>> count = lambda texts: np.array([text.count("good") for text in texts], dtype=float)
    >>> occlude(count, "a good film", None)["weight"].tolist()
    [0.0, 1.0, 0.0]
    """
    import pandas as pd

    spans = [found.span() for found in re.finditer(r"\S+", text)][:_WORDS]
    output = outputs([text, *(text[:start] + text[end:] for start, end in spans)])
    if labels is not None:
        known = list(labels)
        if label is not None and label not in known:
            raise InputError(f"The model knows no label '{label}'.", f"Its labels: {', '.join(known[:10])}.")
        output = output[:, int(output[0].argmax()) if label is None else known.index(label)]
    return pd.DataFrame({"token": [text[start:end] for start, end in spans], "weight": output[0] - output[1:]})
