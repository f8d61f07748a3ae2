"""The words of a text that a model's prediction depends on: each is left out in turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from core.errors import InputError
from core.registry import unknown_name

if TYPE_CHECKING:
    import pandas as pd

    from core.explain.explained_model import Array

__all__ = ["occlude"]

Text: TypeAlias = str | tuple[str, str]

_WORDS = 200


def occlude(
    outputs: Callable[[list[Text]], Array], text: Text, labels: Sequence[str] | None, label: str | None = None
) -> pd.DataFrame:
    """Return the weight of each word of a text for a label.

    The weight of a word is the drop of the probability (or the number) when the word is left out: occlusion
    (Zeiler, Fergus 2014).

    Parameters
    ----------
    outputs : callable
        Takes texts, or pairs, and returns probabilities, shape (n, classes), or numbers, shape (n,).
    text : str or (str, str)
        The text, or the pair of texts; its first 200 words are used.
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

    parts = (text,) if isinstance(text, str) else text
    words = [(side, match) for side, part in enumerate(parts) for match in re.finditer(r"\S+", part)][:_WORDS]
    output = outputs([text, *(_without(text, side, *match.span()) for side, match in words)])
    if labels is not None:
        known = list(labels)
        if label is not None and label not in known:
            raise InputError(f"Unknown label '{label}'.", unknown_name(label, known, most=10))
        output = output[:, int(output[0].argmax()) if label is None else known.index(label)]
    return pd.DataFrame({"token": [match.group() for _, match in words], "weight": output[0] - output[1:]})


def _without(text: Text, side: int, start: int, end: int) -> Text:
    """Return a text, or a pair, without some characters of one side."""
    if isinstance(text, str):
        return text[:start] + text[end:]
    left = text[side][:start] + text[side][end:]
    return (left, text[1]) if side == 0 else (text[0], left)
