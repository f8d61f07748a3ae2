"""Adapters of a base model that several sites train in turn, each on its own texts, and whose changes are averaged."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.finetune.base_model import resolve
from core.finetune.build import build, finish
from core.finetune.checkpoints import TrainingFolder
from core.finetune.data import prepare
from core.finetune.encode import Text, encode_texts, quiet_transformers, text_model_outputs
from core.finetune.loading import save_tokenizer
from core.finetune.settings import FineTuneSettings
from core.finetune.targets import kind_of_task

if TYPE_CHECKING:
    from core.finetune.result import FineTuneResult

__all__ = ["SharedAdapters", "conclude_shared"]

_NORM = 1.0  # largest norm of a gradient, as of a training in one place


class SharedAdapters:
    """A base model with low-rank adapters and a new head, whose weights are set, trained and read as plain numbers.

    Parameters
    ----------
    settings : FineTuneSettings
        Settings; `lora` is the rank of the adapters. The same settings make the same model everywhere.
    labels : list of str
        The classes.
    """

    def __init__(self, settings: FineTuneSettings, labels: list[str]) -> None:
        self.settings, self.labels = settings, labels
        task = "binary" if len(labels) == 2 else "multiclass"
        with quiet_transformers(settings.threads):
            self.model, self.tokenizer = build(resolve(settings.base_model), kind_of_task(task), labels, settings)
        self._trained = [part for part in self.model.parameters() if part.requires_grad]

    def weights(self) -> NDArray[np.float64]:
        """Return the weights of adapters and head in a row."""
        return np.concatenate([part.detach().cpu().numpy().ravel() for part in self._trained]).astype(np.float64)

    def set_weights(self, weights: NDArray[np.float64]) -> None:
        """Take weights of adapters and head."""
        import torch

        start = 0
        with torch.no_grad():
            for part in self._trained:
                end = start + part.numel()
                part.copy_(torch.from_numpy(weights[start:end].astype(np.float32)).reshape(part.shape))
                start = end

    def train(self, texts: Sequence[Text], codes: NDArray[np.intp], *, epochs: int, seed: int) -> None:
        """Train adapters and head on texts.

        Parameters
        ----------
        texts : sequence of str
            Texts.
        codes : array of int
            Their classes.
        epochs : int
            Number of passes over them.
        seed : int
            Seed of the order of the texts and of dropout.
        """
        import torch
        from transformers import set_seed

        settings = self.settings
        with quiet_transformers(settings.threads):
            set_seed(seed)
            encoded = encode_texts(self.tokenizer, texts, settings.max_length)
            optimizer = torch.optim.AdamW(self._trained, settings.learning_rate, weight_decay=settings.weight_decay)
            self.model.train()
            random = np.random.default_rng(seed)
            for _ in range(epochs):
                order = random.permutation(len(texts))
                for start in range(0, len(texts), settings.train_batch_size):
                    rows = order[start : start + settings.train_batch_size]
                    batch = self.tokenizer.pad([encoded[row] for row in rows], return_tensors="pt")
                    logits = self.model(**batch).logits.float()
                    target = torch.from_numpy(codes[rows].astype(np.int64))
                    loss = torch.nn.functional.cross_entropy(logits, target, label_smoothing=settings.label_smoothing)
                    loss.backward()
                    torch.nn.utils.clip_grad_norm_(self._trained, _NORM)
                    optimizer.step()
                    optimizer.zero_grad()
            self.model.eval()

    def outputs(self, texts: Sequence[Text]) -> NDArray[np.float64]:
        """Return the probability of each class, shape (n, classes)."""
        with quiet_transformers(self.settings.threads):
            self.model.eval()
            encoded = encode_texts(self.tokenizer, texts, self.settings.max_length)
            return text_model_outputs(self.model, self.tokenizer, encoded, self.settings.eval_batch_size)

    def save(self, folder: Path) -> None:
        """Write a plain model, with the adapters merged into its weights, and its tokenizer."""
        finish(self.model, None).save_pretrained(folder)
        save_tokenizer(self.tokenizer, folder, self.settings.max_length)


def conclude_shared(
    frame: pd.DataFrame,
    settings: FineTuneSettings,
    adapters: SharedAdapters,
    output_dir: str | Path,
    *,
    train: NDArray[np.intp],
    validation: NDArray[np.intp],
    test: NDArray[np.intp],
    rounds: int,
    losses: Sequence[float | None],
    elapsed_s: float,
) -> FineTuneResult:
    """Save a shared model, test it on rows of all sites, and return the result like that of a training.

    Parameters
    ----------
    frame : DataFrame
        Rows of all sites.
    settings : FineTuneSettings
        Settings of the training.
    adapters : SharedAdapters
        The trained model; it cannot be trained further.
    output_dir : path
        Folder of the result.
    train, validation, test : array of int
        Positions of the rows in `frame`.
    rounds : int
        Number of rounds.
    losses : sequence of float or None
        Mean loss of the training texts before each round.
    elapsed_s : float
        Seconds that the training took.
    """
    from core.datasets import fingerprint
    from core.finetune.train import TrainedModel
    from core.finetune.training_run import conclude

    start = time.monotonic() - elapsed_s
    known = _label_texts(frame[settings.label_column])
    usable = frame.assign(**{settings.label_column: known.where(known.isin(adapters.labels))})
    data = prepare(usable, settings)
    positions = {int(row): index for index, row in enumerate(data.rows)}

    def indices(rows: NDArray[np.intp]) -> NDArray[np.intp]:
        return np.array([positions[int(row)] for row in rows if int(row) in positions], dtype=np.intp)

    data = replace(data, train=indices(train), validation=indices(validation), test=indices(test))
    folder = TrainingFolder(Path(output_dir))
    asked: dict[str, Any] = settings.model_dump(mode="json")
    folder.begin(asked, resume=False)
    trainable = len(adapters.weights())
    adapters.save(folder.model)
    for number, loss in enumerate(losses, 1):
        if loss is not None:
            folder.add({"step": number, "epoch": float(number), "loss": loss})
    trained = TrainedModel(
        steps=rounds,
        best_step=rounds,
        metric=settings.best_metric(data.kind),
        samples_a_second=len(train) * settings.epochs * rounds / max(elapsed_s, 1e-9),
        device="CPU",
        precision="float32",
        trainable=trainable,
    )
    base = resolve(settings.base_model)
    with quiet_transformers(settings.threads):
        return conclude(usable, settings, data, base, folder, trained, fingerprint(frame[settings.columns]), start)


def _label_texts(column: pd.Series) -> pd.Series:
    """Return labels as text, a whole number without decimals whatever the other cells are."""
    values = column.astype(object).where(column.notna(), None)
    return values.map(
        lambda label: str(int(label)) if isinstance(label, float) and label.is_integer() else str(label),
        na_action="ignore",
    )
