"""Texts scored with ONNX Runtime and a tokenizer alone: neither torch nor transformers is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.edge.export.metadata import Metadata
from core.edge.scoring.encoder import Encoder
from core.edge.scoring.session import load_session
from core.errors import InputError
from core.explain import occlude

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["TextScorer"]

_BATCH = 32


class TextScorer:
    """Scores texts with an exported model.

    Parameters
    ----------
    model : path
        The ONNX file.
    tokenizer : path
        Its ``tokenizer.json``.
    labels : sequence of str or None
        The classes; None for a number.
    max_length : int or None
        Tokens that are read of a text; None reads all of it.

    Raises
    ------
    InputError
        When the model or the tokenizer cannot be loaded, or they do not fit together.
    """

    def __init__(
        self, model: str | Path, tokenizer: str | Path, labels: Sequence[str] | None, max_length: int | None
    ) -> None:
        self._session = load_session(model)
        self._encode = Encoder(tokenizer, [each.name for each in self._session.get_inputs()], max_length)
        variant = Metadata.from_props(self._session.get_modelmeta().custom_metadata_map).variant
        # Dynamic quantisation takes one range for all activations of a run: company would change a text's answer.
        self._batch_size = 1 if variant == "dynamic-int8" else _BATCH
        self.labels = None if labels is None else list(labels)

    def outputs(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the model's own outputs, (n, classes) before any softmax, in the order of the texts.

        They do not depend on which texts are scored together, but for the rounding of floats.
        """
        import numpy as np

        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))  # alike lengths need little padding
        found: Any = [None] * len(texts)
        for begin in range(0, len(order), self._batch_size):
            places = order[begin : begin + self._batch_size]
            (values,) = self._session.run(None, self.feeds([texts[place] for place in places]))
            for place, row in zip(places, values, strict=True):
                found[place] = row
        return np.stack(found)

    def feeds(self, texts: Sequence[str]) -> dict[str, NDArray[np.int64]]:
        """Return the inputs of the graph for these texts, padded to the longest of them."""
        return self._encode(texts)

    def predict(self, texts: Sequence[str]) -> pd.DataFrame:
        """Return the label of each text, then the probability of each class; of a number, the number alone.

        Raises
        ------
        InputError
            When there is no text, or one is empty or missing.
        """
        import numpy as np
        import pandas as pd

        if not len(texts):
            raise InputError("There is no text.", "Give at least one.")
        empty = sum(pd.isna(text) or not str(text).strip() for text in texts)
        if empty:
            raise InputError(f"{empty:,} of {len(texts):,} texts are empty or missing.", "Leave them out.")
        shares = self.probabilities([str(text) for text in texts])
        if self.labels is None:
            return pd.DataFrame({"label": shares})
        table = pd.DataFrame({"label": np.asarray(self.labels, dtype=object)[shares.argmax(axis=1)]})
        for place, label in enumerate(self.labels):
            table[f"p({label})"] = shares[:, place]
        return table

    def attribution(self, text: str, label: str | None = None) -> pd.DataFrame:
        """Return how much each word of a text speaks for a label; `occlude` says how.

        Raises
        ------
        InputError
            When there is no such label.
        """
        return occlude(self.probabilities, text, self.labels, label)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return probabilities, (n, classes), or numbers, (n,)."""
        import numpy as np

        values = self.outputs(texts).astype(np.float64)
        if self.labels is None:
            return values[:, 0]
        values = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(values / values.sum(axis=1, keepdims=True))
