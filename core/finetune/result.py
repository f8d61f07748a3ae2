"""The result of a fine-tuning, and its files.

``result.json``
    `FineTuneSummary.to_dict`: everything that a page draws.
``model/``
    model.safetensors, config.json, tokenizer.json: what transformers and others load.
``validation.parquet``, ``test.parquet``, ``errors.parquet``
    Predictions with row ids and sensitive columns, and the worst mistakes.
``train.py``
    A script that trains the model again with transformers alone.
``tensorboard/``
    TensorBoard's logs, when TENSORBOARD_LOGGING_DIR was set.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from core.errors import InputError, StorageError
from core.explain import occlude
from core.files import write_text
from core.finetune.encode import Text
from core.finetune.label_sets import label_texts
from core.finetune.summary import FineTuneSummary, TrainingFacts
from core.finetune.targets import kind_of_task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.finetune.loading import LoadedModel

__all__ = ["FineTuneResult"]

_TABLES = ("validation", "test", "errors")


def _is_pair(text: object) -> bool:
    return isinstance(text, tuple) and len(text) == 2 and all(isinstance(part, str) for part in text)


@dataclass(frozen=True, kw_only=True)
class FineTuneResult(FineTuneSummary):
    """The result of a fine-tuning: what `FineTuneSummary` has, the predictions and the model.

    Parameters
    ----------
    errors : DataFrame
        row_id, text, label, predicted, confidence: test rows, the most confidently wrong first.
    validation, test : DataFrame
        row_id (position in the table), the label, prediction, one probability per class, sensitive columns.
    model_dir : Path
        Folder with model.safetensors, config.json and tokenizer.json.
    logs_dir : Path, optional
        Folder of TensorBoard's logs, when they were written.

    See Also
    --------
    FineTuneSummary : The other attributes.
    """

    errors: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    model_dir: Path
    logs_dir: Path | None = None
    _loaded: list[LoadedModel] = field(default_factory=list, repr=False, compare=False)

    def predict(self, texts: Sequence[Text]) -> pd.DataFrame:
        """Return the label of each text, and one probability per class (columns ``p(<label>)``).

        A text with several labels has them in one cell, with semicolons between them.

        Parameters
        ----------
        texts : sequence of str or of (str, str)
            The texts, or pairs of them where the model was trained on pairs.

        Raises
        ------
        InputError
            When something other than text is given.
        """
        output = self._outputs(list(texts))
        if self.labels is None:
            return pd.DataFrame({"label": output})
        table = pd.DataFrame({"label": label_texts(self.labels, kind_of_task(self.task).choose(output))})
        return table.assign(**{f"p({name})": output[:, code] for code, name in enumerate(self.labels)})

    def attribution(self, text: Text, label: str | None = None) -> pd.DataFrame:
        """Return how much each word of a text contributes to a label.

        The weight of a word is what the probability (or the number) loses when the word is left out: occlusion
        (Zeiler, Fergus 2014).

        Parameters
        ----------
        text : str or (str, str)
            The text, or the pair; its first 200 words are considered.
        label : str, optional
            The label; by default the one that is predicted.

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

    def save(self, folder: str | Path) -> None:
        """Write the result into a folder: model, evidence, and a script that trains it again.

        See Also
        --------
        load : Read it again.
        """
        from core.finetune.script import standalone_script

        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        for name in _TABLES:
            getattr(self, name).to_parquet(target / f"{name}.parquet")
        if (target / "model").resolve() != self.model_dir.resolve():
            shutil.copytree(self.model_dir, target / "model", dirs_exist_ok=True)
        if self.logs_dir is not None and self.logs_dir.is_dir():
            shutil.copytree(self.logs_dir, target / "tensorboard", dirs_exist_ok=True)
        info = self.to_dict()
        write_text(target / "train.py", standalone_script(self.settings, info | {"training": self._all_facts()}))
        write_text(target / "result.json", json.dumps(self.to_dict(), allow_nan=False))

    @classmethod
    def load(cls, folder: str | Path) -> FineTuneResult:
        """Read what `save` wrote; nothing is unpickled.

        Raises
        ------
        StorageError
            When the folder does not hold a result.
        """
        source = Path(folder)
        if not (source / "result.json").is_file() or not list((source / "model").glob("*.safetensors")):
            raise StorageError(
                f"'{source.name}' does not hold a saved result.", "Give the folder that FineTuneResult.save wrote."
            )
        summary = FineTuneSummary.from_dict(json.loads((source / "result.json").read_text(encoding="utf-8")))
        return cls(
            **{item.name: getattr(summary, item.name) for item in fields(FineTuneSummary)},
            **{name: pd.read_parquet(source / f"{name}.parquet") for name in _TABLES},
            model_dir=source / "model",
        )

    def _all_facts(self) -> TrainingFacts:
        """Return how the model was reached, with the names that earlier versions did not store."""
        facts = self.training
        if "constant" not in facts:
            from core.finetune.architecture import frozen_parts, head_name

            model, layers = self._model()[0], self.settings.freeze_layers
            head, frozen = head_name(model), frozen_parts(model, layers) if layers else []
            constant = model.get_submodule(head).bias is not None
            facts = {**facts, "head": head, "frozen": frozen, "constant": constant}
        return facts

    def _model(self) -> LoadedModel:
        from core.finetune.encode import quiet_transformers
        from core.finetune.loading import load_text_model

        if not self._loaded:
            with quiet_transformers(self.settings.threads):
                self._loaded.append(load_text_model(self.model_dir))
        return self._loaded[0]

    def _outputs(self, texts: Sequence[Text]) -> NDArray[np.float64]:
        from core.finetune.encode import encode_texts, quiet_transformers, text_model_outputs

        pairs = self.settings.second_text_column is not None
        invalid = [text for text in texts if not (_is_pair(text) if pairs else isinstance(text, str))]
        if invalid:
            what, all_of_them = ("pair of texts", "pairs of texts") if pairs else ("text", "texts")
            raise InputError(f"{invalid[0]!r} is not a {what}.", f"Give a list of {all_of_them}.")
        model, tokenizer = self._model()
        with quiet_transformers(self.settings.threads):
            encoded = encode_texts(tokenizer, texts, self.settings.max_length)
            return text_model_outputs(model, tokenizer, encoded, self.settings.eval_batch_size)
