"""Rows of texts, or of pairs of texts, as a table has them and as a model reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from core.finetune import Text

__all__ = ["SECOND_TEXT", "TEXT", "text_rows"]

TEXT = "text"
"""Column of the texts in tables of a text model's rows, whatever the training called it."""
SECOND_TEXT = "second_text"
"""Column of the second texts of pairs."""


def text_rows(frame: pd.DataFrame) -> list[Text]:
    """Return the texts of a table, or pairs where it has second texts.

    Parameters
    ----------
    frame : DataFrame
        Table with the column "text", and of pairs "second_text".

    Examples
    --------
    >>> import pandas as pd
    >>> text_rows(pd.DataFrame({"text": ["a question"], "second_text": ["an answer"]}))
    [('a question', 'an answer')]
    """
    first = frame[TEXT].astype(str).tolist()
    return list(zip(first, frame[SECOND_TEXT].astype(str), strict=True)) if SECOND_TEXT in frame.columns else first
