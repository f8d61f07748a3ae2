"""Scores texts with ONNX Runtime and a tokenizer: neither torch nor transformers is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.edge.export.metadata import Label, Metadata
from core.edge.scoring.encoder import Encoder
from core.edge.scoring.session import load_session
from core.edge.variants.forms import VARIANT_FORMS
from core.edge.variants.modes import QUANTIZATION_MODES
from core.errors import InputError
from core.explain import occlude

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["TextScorer"]

_BATCH_SIZE = 32


class TextScorer:
    """Scores texts with an exported model.

    Parameters
    ----------
    model : path
        The ONNX file.
    tokenizer : path
        Path of its ``tokenizer.json``.
    labels : sequence or None
        The classes; None for a number.
    max_length : int or None
        Tokens per text that the model reads; None reads all of it.

    Raises
    ------
    InputError
        When the model or the tokenizer cannot be loaded, or they do not fit together.
    """

    def __init__(
        self, model: str | Path, tokenizer: str | Path, labels: Sequence[Label] | None, max_length: int | None
    ) -> None:
        self._session = load_session(model)
        self._encode = Encoder(tokenizer, [port.name for port in self._session.get_inputs()], max_length)
        variant = Metadata.from_props(self._session.get_modelmeta().custom_metadata_map).variant
        # Where one range is used for all activations of a batch, other texts would change a text's answer.
        form = VARIANT_FORMS.get(variant)
        mode = None if form is None or form.mode is None else QUANTIZATION_MODES[form.mode]
        self._batch_size = 1 if mode is not None and mode.ranges_per_batch else _BATCH_SIZE
        self.labels = None if labels is None else [str(label) for label in labels]

    def outputs(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the model's own outputs, (n, classes) before any softmax, in the order of the texts.

        They do not depend on which texts are scored together, except for the rounding of floats.
        """
        import numpy as np

        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))  # similar lengths need little padding
        outputs: dict[int, NDArray[np.float32]] = {}
        for begin in range(0, len(order), self._batch_size):
            batch = order[begin : begin + self._batch_size]
            (values,) = self._session.run(None, self.feeds([texts[index] for index in batch]))
            outputs.update(zip(batch, values, strict=True))
        return np.stack([outputs[index] for index in range(len(texts))])

    def feeds(self, texts: Sequence[str]) -> dict[str, NDArray[np.int64]]:
        """Return the inputs of the graph for these texts, padded to the longest of them."""
        return self._encode(texts)

    def predict(self, texts: Sequence[str]) -> pd.DataFrame:
        """Return the label of each text and the probability of each class; for a number, only the number.

        Raises
        ------
        InputError
            When there are no texts, or one is empty or missing.
        """
        import numpy as np
        import pandas as pd

        if not len(texts):
            raise InputError("There are no texts.", "Give at least one.")
        empty = sum(pd.isna(text) or not str(text).strip() for text in texts)
        if empty:
            raise InputError(f"{empty:,} of {len(texts):,} texts are empty or missing.", "Leave them out.")
        probabilities = self.probabilities([str(text) for text in texts])
        if self.labels is None:
            return pd.DataFrame({"label": probabilities})
        table = pd.DataFrame({"label": np.asarray(self.labels, dtype=object)[probabilities.argmax(axis=1)]})
        for code, label in enumerate(self.labels):
            table[f"p({label})"] = probabilities[:, code]
        return table

    def attribution(self, text: str, label: str | None = None) -> pd.DataFrame:
        """Return how much each word of a text contributes to a label; see `core.explain.occlude`.

        Parameters
        ----------
        text : str
            The text.
        label : str, optional
            The label; by default the predicted one.

        Raises
        ------
        InputError
            When there is no such label.
        """
        return occlude(self.probabilities, text, self.labels, label)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return probabilities, (n, classes), or numbers, (n,)."""
        import numpy as np
        from scipy.special import softmax

        values = self.outputs(texts).astype(np.float64)
        return values[:, 0] if self.labels is None else np.asarray(softmax(values, axis=1))
