"""Training from a handful of texts per class: pairs of texts first, then a linear head.

Texts of one class learn to lie close together, and those of different classes apart (Tunstall et al. 2022, SetFit). A
few texts make many pairs, which teach more than their labels alone. What lies close is what the model's last layer
reads, so that the result is a model like any other: it is saved, exported and scored in the same way.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingsError, StoppedError
from core.evaluation import compute_metric
from core.finetune.architecture import head_name, last_token_head
from core.finetune.data import TextData
from core.finetune.device import in_precision
from core.finetune.encode import Encoded, text_model_outputs
from core.finetune.job import Reached, TrainingJob
from core.finetune.settings import FineTuneSettings
from core.progress import Event

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["FEW_TEXTS", "few_shot_passes", "mixed_batches", "pair_loss", "train_few_shot"]

FEW_TEXTS = 20
"""Number of texts per class below which pairs teach more than labels."""
_PASSES = 20  # over the texts; each pass draws other pairs
_STRENGTH = 1.0  # of the head's regularization, as in SetFit
_EVERY = 5  # steps between reports


def few_shot_passes(y: NDArray[np.intp]) -> float:
    """Return how many texts are read for each training row: rare classes are read more often.

    Parameters
    ----------
    y : array of int of shape (n,)
        Classes of the training rows.
    """
    return _PASSES * len(np.unique(y)) * int(np.bincount(y).max()) / len(y)


def train_few_shot(job: TrainingJob) -> Reached:
    """Train a model on pairs of texts, and fit its head.

    Parameters
    ----------
    job : TrainingJob
        The model with its texts. Of the settings, batch size, learning rate, weight decay, maximum length and seed
        count.

    Raises
    ------
    SettingsError
        When the labels are not classes, or the model answers from its last token.
    StoppedError
        When `should_stop` returned True before the end.
    """
    import torch

    model, tokenizer, data, settings = job.model, job.tokenizer, job.data, job.settings
    _check(model, data, job.precision)
    model.to(job.device)
    encoded = job.encode(data.part(data.train))
    y = data.y[data.train].astype(np.intp)
    job.folder.history(up_to=0)
    random = np.random.default_rng(settings.seed)
    torch.manual_seed(settings.seed)
    batches = [batch for _ in range(_PASSES) for batch in mixed_batches(y, settings.train_batch_size, random)]
    optimizer = torch.optim.AdamW(
        [part for part in model.parameters() if part.requires_grad],
        settings.learning_rate,
        weight_decay=settings.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=len(batches), pct_start=0.1, anneal_strategy="linear"
    )
    start = time.monotonic()
    model.train()
    for step, batch in enumerate(batches, start=1):
        if job.should_stop():
            raise StoppedError(
                f"Stopped at step {step - 1:,} of {len(batches):,}.", "Resume to begin again: it is short."
            )
        inputs = tokenizer.pad([encoded[row] for row in batch], return_tensors="pt").to(model.device)
        with in_precision(job.precision, job.device):
            read = _read_by_head(model, inputs)
        loss = pair_loss(read, torch.tensor(y[batch], device=model.device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % _EVERY == 0 or step == len(batches):
            _report_step(job, step, len(batches), float(loss.detach()), time.monotonic() - start)
    seconds = time.monotonic() - start
    _fit_head(model, tokenizer, encoded, y, settings)
    _evaluate(job, len(batches))
    return Reached(model, len(batches), len(batches), sum(map(len, batches)) / seconds)


def _report_step(job: TrainingJob, step: int, steps: int, loss: float, seconds: float) -> None:
    job.folder.add({"step": step, "epoch": _PASSES * step / steps, "loss": loss})
    values: dict[str, float] = {
        "step": step,
        "steps": steps,
        "loss": loss,
        "samples_a_second": step * job.settings.train_batch_size / seconds,
        "left_s": (steps - step) * seconds / step,
    }
    job.report(Event("train", step / steps, f"Pairs of texts: step {step:,} of {steps:,}", values))


def _evaluate(job: TrainingJob, step: int) -> None:
    """Keep what the model answers to the validation texts, and its metrics."""
    rows, kind = job.validation_rows(), job.data.kind
    encoded = job.encode(job.data.part(rows))
    outputs = text_model_outputs(job.model, job.tokenizer, encoded, job.settings.eval_batch_size)
    job.folder.keep_evaluation(step, outputs, step)
    values = {name: compute_metric(name, job.data.y[rows], outputs) for name in kind.metrics}
    line = {"step": step, "epoch": _PASSES, "eval_loss": values[kind.loss], **values}
    job.folder.add(line)
    job.report(Event("train", 1.0, "The head is fitted", line))


def _check(model: PreTrainedModel, data: TextData, precision: str) -> None:
    if precision == "fp16":
        raise SettingsError("few_shot does not train in fp16.", "Set precision to auto.")
    if data.kind.name != "classification":
        raise SettingsError(f"few_shot is for classes; the labels hold {data.kind.holds}.", "Set few_shot to false.")
    if last_token_head(model):
        raise SettingsError(
            f"few_shot needs a model that sums up a text before its last layer; '{model.config.model_type}' does not.",
            "Set few_shot to false, or choose an encoder such as BERT.",
        )


def mixed_batches(y: NDArray[np.intp], size: int, random: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Yield batches that hold the classes in equal shares, rare ones repeatedly.

    Parameters
    ----------
    y : array of int of shape (n,)
        Classes of the rows.
    size : int
        Number of rows of a batch; larger where that does not hold two rows of each class.
    random : Generator
        Random number generator that draws the order.
    """
    classes = np.unique(y)
    most = int(np.bincount(y).max())
    columns = []
    for code in classes:
        rows = np.flatnonzero(y == code)
        repeated = np.concatenate([random.permutation(rows) for _ in range(-(-most // len(rows)))])
        columns.append(repeated[:most])
    order = np.column_stack(columns).ravel()
    size = max(size, 2 * len(classes))  # else no batch has two texts of a class
    for begin in range(0, len(order), size):
        batch = order[begin : begin + size]
        if len(np.unique(y[batch])) > 1:
            yield batch


def _read_by_head(model: PreTrainedModel, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return what the last layer reads of each text, shape (n, width)."""
    kept: list[torch.Tensor] = []
    head = model.get_submodule(head_name(model))
    hook = head.register_forward_pre_hook(lambda _, arguments: kept.append(arguments[0]))
    try:
        model(**inputs)
    finally:
        hook.remove()
    read = kept[0]
    return read if read.ndim == 2 else read[:, 0]


def pair_loss(read: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Return how far pairs of a batch are from cosine 1 in a class, and 0 between classes; both count the same.

    Parameters
    ----------
    read : tensor of shape (n, width)
        Input of the last layer for each text.
    classes : tensor of shape (n,)
        Class of each text.
    """
    import torch

    unit = torch.nn.functional.normalize(read.float(), dim=1)
    cosine = unit @ unit.T
    same = classes[:, None] == classes[None]
    others = ~torch.eye(len(classes), dtype=torch.bool, device=classes.device)
    errors = (cosine - same.float()) ** 2
    parts = [errors[pairs].mean() for pairs in (same & others, ~same) if bool(pairs.any())]
    return torch.stack(parts).mean()


def _fit_head(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    encoded: list[Encoded],
    y: NDArray[np.intp],
    settings: FineTuneSettings,
) -> None:
    """Put a logistic regression on what the last layer reads in the place of that layer's weights."""
    import torch
    from sklearn.linear_model import LogisticRegression

    model.eval()
    parts = []
    with torch.inference_mode():
        for begin in range(0, len(encoded), settings.eval_batch_size):
            inputs = tokenizer.pad(encoded[begin : begin + settings.eval_batch_size], return_tensors="pt")
            parts.append(_read_by_head(model, inputs.to(model.device)).float().cpu().numpy())
    read = np.concatenate(parts).astype(np.float64)
    center, spread = read.mean(axis=0), max(float(read.std()), 1e-6)
    fitted = LogisticRegression(C=_STRENGTH, max_iter=2_000, class_weight="balanced").fit((read - center) / spread, y)
    weights, constants = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:  # scikit-learn keeps the difference of both
        weights, constants = np.vstack([-weights, weights]) / 2, np.concatenate([-constants, constants]) / 2
    weights, constants = weights / spread, constants - weights @ center / spread
    head = model.get_submodule(head_name(model))
    with torch.no_grad():
        head.bias.fill_(float(constants.min()) - 10.0)  # of classes without a training text
        head.weight.zero_()
        for row, code in enumerate(fitted.classes_.tolist()):
            head.weight[code] = torch.tensor(weights[row], dtype=head.weight.dtype)
            head.bias[code] = float(constants[row])
