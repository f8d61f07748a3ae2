"""What a fine-tuning found, with its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.datasets import Finding
from core.errors import InputError
from core.explain import occlude
from core.finetune._settings import FineTuneSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.evaluation import Estimate

__all__ = ["FineTuneResult"]


@dataclass(frozen=True)
class FineTuneResult:
    """The result of a fine-tuning.

    Parameters
    ----------
    task : str
        binary, multiclass or regression.
    labels : list of str or None
        Classes in the order of the probabilities; None for a number.
    metric : str
        What chose the epoch, and what `differences` are of.
    test_metrics : dict of Estimate
        By metric, on rows that training never saw; empty without a test.
    baseline_metrics : dict of dict of Estimate
        The same of "majority" (class shares, or the mean) and "tfidf" (logistic or ridge regression).
    differences : dict of Estimate
        Model minus baseline, paired on the test rows, larger being better for the model.
    history : list of dict
        Logged losses (step, epoch, loss, learning_rate) and evaluations (step, epoch, eval_loss and metrics).
    confusion : list of list of int or None
        Test rows by true class (rows) and predicted class (columns).
    per_class : list of dict
        label, precision, recall, f1, support.
    errors : DataFrame
        row_id, text, label, predicted, confidence: the most confidently wrong test rows first.
    validation, test : DataFrame
        row_id (position in the table), the label, prediction, a probability a class, sensitive columns.
    model_dir : Path
        Folder with model.safetensors, config.json and tokenizer.json.
    training : dict
        steps, best_step, trainable (weights), precision.
    rows : dict
        all, train, validation, test.
    samples_a_second : float
        Training rows a second, evaluation apart.
    elapsed_s : float
        Seconds of the attempt that ended.
    logs_dir : Path or None
        TensorBoard's logs, when they were written.
    """

    settings: FineTuneSettings
    task: str
    labels: list[str] | None
    metric: str
    test_metrics: dict[str, Estimate]
    baseline_metrics: dict[str, dict[str, Estimate]]
    differences: dict[str, Estimate]
    verdict: str
    history: list[dict[str, Any]]
    confusion: list[list[int]] | None
    per_class: list[dict[str, Any]]
    errors: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    model_dir: Path
    findings: list[Finding]
    training: dict[str, Any]
    rows: dict[str, int]
    samples_a_second: float
    elapsed_s: float
    device: str
    base_model: dict[str, Any]
    fingerprint: str
    packages: dict[str, str] = field(default_factory=dict)
    logs_dir: Path | None = None
    _loaded: list[Any] = field(default_factory=list, repr=False, compare=False)

    def predict(self, texts: Sequence[str]) -> pd.DataFrame:
        """Return the label of each text, and a probability a class (columns ``p(<label>)``).

        Raises
        ------
        InputError
            When something else than texts is given.
        """
        output = self._outputs(list(texts))
        if self.labels is None:
            return pd.DataFrame({"label": output})
        names = np.asarray(self.labels, dtype=object)
        found: dict[str, Any] = {"label": names[output.argmax(axis=1)] if len(output) else names[:0]}
        return pd.DataFrame(found | {f"p({name})": output[:, code] for code, name in enumerate(self.labels)})

    def attribution(self, text: str, label: str | None = None) -> pd.DataFrame:
        """Return how much each word of a text speaks for a label.

        The weight of a word is what the probability (or the number) loses when the word is left out: occlusion
        (Zeiler, Fergus 2014).

        Parameters
        ----------
        text : str
            At most its first 200 words are looked at.
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
        """
        return occlude(self._outputs, text, self.labels, label)

    def to_dict(self) -> dict[str, Any]:
        """Return all but the model and the predictions as JSON-serialisable values."""
        from core.finetune._store import summary

        return summary(self)

    def save(self, folder: str | Path) -> None:
        """Write the result into a folder: model, evidence, and a script that trains it again."""
        from core.finetune._store import save

        save(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> FineTuneResult:
        """Read what `save` wrote; nothing is unpickled."""
        from core.finetune._store import load

        return load(Path(folder))

    def _outputs(self, texts: list[str]) -> NDArray[np.float64]:
        from core.finetune._build import load_text_model
        from core.finetune._encode import encode_texts, quiet_transformers, text_model_outputs

        wrong = [text for text in texts if not isinstance(text, str)]
        if wrong:
            raise InputError(f"{wrong[0]!r} is no text.", "Give a list of texts.")
        with quiet_transformers(self.settings.threads):
            if not self._loaded:
                self._loaded.extend(load_text_model(self.model_dir))
            model, tokenizer = self._loaded
            encoded = encode_texts(tokenizer, texts, self.settings.max_length)
            return text_model_outputs(model, tokenizer, encoded, self.settings.eval_batch_size, self.labels is not None)
