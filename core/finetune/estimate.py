"""How long a training takes and what it needs, measured on a few of its steps."""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import JsonValue, TypeAdapter

from core.errors import StoppedError
from core.finetune.base_model import resolve
from core.finetune.data import TextData, prepare
from core.finetune.device import device_of, in_precision, precision_of
from core.finetune.encode import Text
from core.finetune.few_shot import few_shot_passes
from core.finetune.settings import FineTuneSettings
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from transformers import BatchEncoding

    from core.finetune.loading import LoadedModel

__all__ = ["TrainingEstimate", "batch_lengths", "estimate_training", "extrapolate"]

_QUANTILES = (0.05, 0.35, 0.65, 0.9, 1.0)
"""Which batches are timed, by their position in the order of lengths; the longest decides on the memory."""
_REPEATS = 2
_OVERHEAD_S = 5.0  # the test's bootstrap, the baselines, writing checkpoints


@dataclass(frozen=True)
class TrainingEstimate:
    """The time, memory and disk space that a training is expected to take.

    Parameters
    ----------
    seconds : float
        Expected time from start to result.
    low, high : float
        The same with every step as fast, or as slow, as the extremes that were measured.
    steps : int
        Number of steps of the training.
    seconds_a_step : float
        Mean time of a step.
    memory_mb : float
        Peak memory of the process (of the GPU, where there is one), with the longest texts in one batch.
    disk_mb : float
        Peak disk space of checkpoints and the model.
    device : str
        The device that was measured.
    measured : int
        Number of steps that were timed.
    rows : dict of str to int
        Number of texts: train, validation, test.
    tokens : dict of str to float
        median, p95 and longest number of tokens of a text, and the share of texts that are cut.
    """

    seconds: float
    low: float
    high: float
    steps: int
    seconds_a_step: float
    memory_mb: float
    disk_mb: float
    device: str
    measured: int
    rows: dict[str, int]
    tokens: dict[str, float]

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the estimate as JSON-serializable values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue]) -> TrainingEstimate:
        """Return the estimate that `to_dict` described."""
        return TypeAdapter(TrainingEstimate).validate_python(dict(values))


def estimate_training(
    frame: pd.DataFrame,
    settings: FineTuneSettings,
    *,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainingEstimate:
    """Time some steps of a training, with short and long batches, and estimate the whole.

    A batch holds texts of similar length, so that the time of a step depends on the length: it is measured twice for
    batches of five lengths, and interpolated between them.

    Parameters
    ----------
    frame : DataFrame of shape (n, columns)
        The table.
    settings : FineTuneSettings
        The settings of the training.
    report, should_stop : callable, optional
        The same as those of `fine_tune`.

    Returns
    -------
    TrainingEstimate
        The expected time, memory and disk space.

    Raises
    ------
    InputError, SettingsError
        When the training could not start.
    StoppedError
        When `should_stop` returned True.
    """
    from core.finetune.build import build
    from core.finetune.encode import quiet_transformers, tokenize
    from core.finetune.preflight import try_model

    report, should_stop = report or silent, should_stop or (lambda: False)
    start = time.monotonic()
    report(Event("estimate", 0.0, "Splitting the table"))
    data = prepare(frame, settings)
    settings.best_metric(data.kind)
    base = resolve(settings.base_model)
    device, title = device_of()
    with quiet_transformers(settings.threads):
        model, tokenizer = build(base, data.kind, data.labels, settings)
        texts = data.part(data.train)
        try_model(model, tokenizer, texts, max_length=settings.max_length, column=settings.text_column)
        load_s = time.monotonic() - start
        lengths = np.array([len(ids) for ids in tokenize(tokenizer, data.texts)["input_ids"]])
        cut = np.minimum(lengths, settings.max_length)
        batches = batch_lengths(cut[data.train], settings.train_batch_size)
        precision = precision_of(settings.precision, device, model)
        timer = _StepTimer((model, tokenizer), settings, device, precision, data)
        seconds = np.zeros((_REPEATS, len(_QUANTILES)))
        indices = [round(quantile * (len(batches) - 1)) for quantile in _QUANTILES]
        order = data.train[np.argsort(cut[data.train], kind="stable")]
        size = settings.train_batch_size
        timer.time_step(data.part(order[:size]))  # the first step allocates memory
        for done, (repeat, column) in enumerate(np.ndindex(seconds.shape), start=1):
            if should_stop():
                raise StoppedError("The estimate was stopped.", "Start the training without it.")
            first = indices[column] * size
            seconds[repeat, column] = timer.time_step(data.part(order[first : first + size]))
            report(Event("estimate", done / seconds.size, f"Step {done} of {seconds.size} on {title}"))
        forward_s = timer.time_forward(data.part(order[len(order) // 2 :][: settings.eval_batch_size]))
    steps, totals = extrapolate(batches, indices, seconds, settings, passes(data, settings))
    evaluated = settings.epochs * len(data.validation) + len(data.validation) + len(data.test)
    rest_s = load_s + evaluated * forward_s + _OVERHEAD_S
    return TrainingEstimate(
        seconds=totals[0] + rest_s,
        low=totals[1] + rest_s,
        high=totals[2] + rest_s,
        steps=steps,
        seconds_a_step=totals[0] / steps,
        memory_mb=_peak_memory_mb(device),
        disk_mb=base.disk_mb,
        device=title,
        measured=seconds.size,
        rows={"train": len(data.train), "validation": len(data.validation), "test": len(data.test)},
        tokens={
            "median": float(np.median(lengths)),
            "p95": float(np.quantile(lengths, 0.95)),
            "longest": float(lengths.max()),
            "cut": float(np.mean(lengths > settings.max_length)),
        },
    )


def batch_lengths(lengths: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return the length of each batch of an epoch, shortest first."""
    ordered = np.sort(lengths)
    return np.array([ordered[start : start + size].max() for start in range(0, len(ordered), size)])


def passes(data: TextData, settings: FineTuneSettings) -> float:
    """Return how often a training reads as many texts as it has training rows, an adaptation before it included.

    Parameters
    ----------
    data : TextData
        Texts, labels and the split.
    settings : FineTuneSettings
        The settings of the training.
    """
    count = len(data.train)
    own = float(settings.epochs)
    if settings.few_shot and data.y.ndim == 1:
        own = few_shot_passes(data.y[data.train].astype(np.intp))
    return own + settings.adaptation_epochs * (count + len(data.unlabeled)) / count


def extrapolate(
    batches: NDArray[np.int64],
    indices: list[int],
    seconds: NDArray[np.float64],
    settings: FineTuneSettings,
    epochs: float | None = None,
) -> tuple[int, tuple[float, float, float]]:
    """Estimate the time of all batches from that of some.

    Parameters
    ----------
    batches : array of int
        Length of each batch of an epoch.
    indices : list of int
        The batches that were timed.
    seconds : array of shape (repeats, len(indices))
        Their times.
    settings : FineTuneSettings
        The settings of the training.
    epochs : float, optional
        Number of passes over the training rows; by default that of the settings.

    Returns
    -------
    steps : int
        Number of steps of the training.
    totals : tuple of float
        Seconds of all steps: expected, at the fastest, at the slowest.
    """
    epoch_steps = math.ceil(len(batches) / settings.gradient_accumulation)
    steps = settings.max_steps or math.ceil((settings.epochs if epochs is None else epochs) * epoch_steps)
    epochs = steps / epoch_steps
    positions = np.arange(len(batches))
    expected, low, high = (
        epochs * float(np.interp(positions, indices, reduce(seconds, axis=0)).sum())
        for reduce in (np.mean, np.min, np.max)
    )
    return steps, (expected, low, high)


class _StepTimer:
    """Times steps of a training.

    Parameters
    ----------
    loaded : tuple
        Model and tokenizer.
    settings : FineTuneSettings
        The settings of the training.
    device, precision : str
        Name of the device for torch, and float32, bf16 or fp16.
    data : TextData
        Texts and labels.
    """

    def __init__(
        self, loaded: LoadedModel, settings: FineTuneSettings, device: str, precision: str, data: TextData
    ) -> None:
        import torch

        self._model, self._tokenizer = loaded[0].to(device), loaded[1]
        self._max_length, self._device, self._precision = settings.max_length, device, precision
        classes = data.kind.name == "classification"
        self._label = torch.zeros(data.y.shape[1:], dtype=torch.long if classes else torch.float32)
        trained = [part for part in self._model.parameters() if part.requires_grad]
        self._optimizer = torch.optim.AdamW(trained, 0.0)

    def _encode(self, texts: list[Text]) -> BatchEncoding:
        from core.finetune.encode import encode_for_training

        encoded = encode_for_training(self._model, self._tokenizer, texts, self._max_length)
        return self._tokenizer.pad(encoded, return_tensors="pt").to(self._device)

    def _synchronize(self) -> None:
        import torch

        if self._device == "cuda":
            torch.cuda.synchronize()

    def time_step(self, texts: list[Text]) -> float:
        """Return the seconds of the forward and backward pass of one batch."""
        import torch

        inputs = self._encode(texts)
        labels = self._label.expand(len(texts), *self._label.shape).to(self._device)
        self._model.train()
        self._synchronize()
        start = time.perf_counter()
        with in_precision(self._precision, self._device):
            loss = self._model(**inputs, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._synchronize()
        return time.perf_counter() - start

    def time_forward(self, texts: list[Text]) -> float:
        """Return the seconds per text of a forward pass."""
        import torch

        inputs = self._encode(texts)
        self._model.eval()
        start = time.perf_counter()
        with torch.inference_mode():
            self._model(**inputs)
        self._synchronize()
        return (time.perf_counter() - start) / len(texts)


def _peak_memory_mb(device: str) -> float:
    import torch

    if device == "cuda":
        return float(torch.cuda.max_memory_reserved() / 2**20)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
