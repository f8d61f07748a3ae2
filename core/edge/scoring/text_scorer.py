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
from core.finetune import kind_of_task, label_texts, text_length

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from core.finetune import TargetKind, Text

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
        The classes or labels; None for a number.
    max_length : int or None
        Tokens per text that the model reads; None reads all of it.

    Attributes
    ----------
    pairs : bool
        Whether the model reads pairs of texts.
    kind : TargetKind
        Kind of target that it predicts.

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
        metadata = Metadata.from_props(self._session.get_modelmeta().custom_metadata_map)
        self.pairs = bool(metadata.pairs)
        self.kind: TargetKind = kind_of_task(metadata.task or ("regression" if labels is None else "multiclass"))
        # Where one range is used for all activations of a batch, other texts would change a text's answer.
        form = VARIANT_FORMS.get(metadata.variant)
        mode = None if form is None or form.mode is None else QUANTIZATION_MODES[form.mode]
        self._batch_size = 1 if mode is not None and mode.ranges_per_batch else _BATCH_SIZE
        self.labels = None if labels is None else [str(label) for label in labels]

    def outputs(self, texts: Sequence[Text]) -> NDArray[np.float32]:
        """Return the model's own outputs, (n, classes) before any softmax, in the order of the texts.

        They do not depend on which texts are scored together, except for the rounding of floats.
        """
        import numpy as np

        order = sorted(
            range(len(texts)), key=lambda index: text_length(texts[index])
        )  # similar lengths, little padding
        outputs: dict[int, NDArray[np.float32]] = {}
        for begin in range(0, len(order), self._batch_size):
            batch = order[begin : begin + self._batch_size]
            (values,) = self._session.run(None, self.feeds([texts[index] for index in batch]))
            outputs.update(zip(batch, values, strict=True))
        return np.stack([outputs[index] for index in range(len(texts))])

    def feeds(self, texts: Sequence[Text]) -> dict[str, NDArray[np.int64]]:
        """Return the inputs of the graph for these texts, padded to the longest of them."""
        return self._encode(texts)

    def predict(self, texts: Sequence[Text]) -> pd.DataFrame:
        """Return the label of each text and the probability of each class; for a number, only the number.

        A text with several labels has them in one cell, with semicolons between them.

        Raises
        ------
        InputError
            When there are no texts, or one is empty or missing.
        """
        import pandas as pd

        if not len(texts):
            raise InputError("There are no texts.", "Give at least one.")
        rows: list[tuple[str, ...]] = [text if isinstance(text, tuple) else (text,) for text in texts]
        empty = sum(any(pd.isna(part) or not str(part).strip() for part in row) for row in rows)
        if empty:
            raise InputError(f"{empty:,} of {len(texts):,} texts are empty or missing.", "Leave them out.")
        sides = 2 if self.pairs else 1
        if any(len(row) != sides for row in rows):
            raise InputError(f"The model reads {'pairs of texts' if self.pairs else 'texts'}.", "Give these.")
        probabilities = self.probabilities([str(row[0]) if sides == 1 else (str(row[0]), str(row[1])) for row in rows])
        if self.labels is None:
            return pd.DataFrame({"label": probabilities})
        table = pd.DataFrame({"label": label_texts(self.labels, self.kind.choose(probabilities))})
        for code, label in enumerate(self.labels):
            table[f"p({label})"] = probabilities[:, code]
        return table

    def attribution(self, text: Text, label: str | None = None) -> pd.DataFrame:
        """Return how much each word of a text contributes to a label; see `core.explain.occlude`.

        Parameters
        ----------
        text : str or (str, str)
            The text, or the pair.
        label : str, optional
            The label; by default the predicted one.

        Raises
        ------
        InputError
            When there is no such label.
        """
        return occlude(self.probabilities, text, self.labels, label)

    def probabilities(self, texts: Sequence[Text]) -> NDArray[np.float64]:
        """Return probabilities, (n, classes), or numbers, (n,)."""
        import numpy as np

        return self.kind.outputs(self.outputs(texts).astype(np.float64))
