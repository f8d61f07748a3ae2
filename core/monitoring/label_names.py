"""Labels as they come, in the words that a model has for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.monitoring.cell_values import level_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ReadLabels", "read_labels"]

_TRUTH = {"0": "false", "1": "true"}
_NAMED = 5


@dataclass(frozen=True, eq=False)
class ReadLabels:
    """Labels in the words of a model.

    Parameters
    ----------
    labels : Series
        The labels; missing where they were, and where the model does not have them.
    unknown : int
        Rows whose label the model does not have.
    examples : tuple of str
        Some of these labels.
    """

    labels: pd.Series
    unknown: int
    examples: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What was left out, in a sentence; empty where nothing was."""
        if not self.unknown:
            return ""
        rows = "1 row has" if self.unknown == 1 else f"{self.unknown:,} rows have"
        return f"{rows} a label that the model does not have, such as '{self.examples[0]}'."


def read_labels(labels: pd.Series, known: Sequence[Any] | None) -> ReadLabels:
    """Return labels in the words of a model: "1" and "TRUE" are true where it knows true and false, "Yes" is "yes".

    Parameters
    ----------
    labels : Series
        Labels as they came.
    known : sequence or None
        Labels of the model; None where it predicts a number.

    Raises
    ------
    InputError
        When the model has none of the labels.

    Examples
    --------
    >>> import pandas as pd
    >>> read = read_labels(pd.Series(["1", "0", None, "maybe"]), [False, True])
    >>> read.labels.tolist(), read.sentence
    ([True, False, None, None], "1 row has a label that the model does not have, such as 'maybe'.")
    """
    import pandas as pd

    present = labels.notna()
    if known is None:
        read = pd.to_numeric(labels, errors="coerce").astype(float)
        read = read.where(read.abs() < float("inf"))  # an infinite one would be the error of all rows together
    else:
        words = _words(known)
        texts = labels[present].map(level_text)
        by_text = {text: words.get(text, words.get(_plain(text, known))) for text in texts.unique()}
        read = pd.Series([None] * len(labels), index=labels.index, dtype=object)
        read[present] = [by_text[text] for text in texts]
    lacking = present & read.isna()
    examples = tuple(dict.fromkeys(labels[lacking].map(level_text)))[:_NAMED]
    if present.any() and lacking[present].all():
        named = ", ".join(repr(level_text(label)) for label in (known or ())[:20])
        has = "It predicts numbers." if known is None else f"It has {named}."
        raise InputError(f"The model does not have the label '{examples[0]}'.", has)
    return ReadLabels(read, int(lacking.sum()), examples)


def _words(known: Sequence[Any]) -> dict[str, Any]:
    """Return the labels of a model by their texts, and by the texts in plain spelling that only one of them has."""
    plain: dict[str, list[Any]] = {}
    for label in known:
        plain.setdefault(_plain(level_text(label), known), []).append(label)
    alone = {text: labels[0] for text, labels in plain.items() if len(labels) == 1}
    return alone | {level_text(label): label for label in known}


def _plain(text: str, known: Sequence[Any]) -> str:
    """Return a label without what spelling alone tells apart."""
    plain = text.strip().casefold()
    try:
        number = float(plain)
    except ValueError:
        pass
    else:
        plain = level_text(number)
    if {level_text(label).casefold() for label in known} <= set(_TRUTH.values()):
        return _TRUTH.get(plain, plain)
    if {level_text(label) for label in known} <= set(_TRUTH):
        return {truth: digit for digit, truth in _TRUTH.items()}.get(plain, plain)
    return plain
