"""How long a training will take and what it needs, measured on a few steps of it."""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import StoppedError
from core.finetune._base import resolve
from core.finetune._data import prepare
from core.finetune._settings import FineTuneSettings
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["TrainingEstimate", "estimate_training"]

_PLACES = (0.05, 0.35, 0.65, 0.9, 1.0)
"""Which batches are timed, as places in their order by length; the longest decides on the memory."""
_REPEATS = 2
_REST_S = 5.0  # the test's bootstrap, the baselines, writing checkpoints


@dataclass(frozen=True)
class TrainingEstimate:
    """What a training is expected to take.

    Parameters
    ----------
    seconds, low, high : float
        From start to result: expected, and with every step as fast, or as slow, as the extremes that were measured.
    steps, seconds_a_step : int, float
        Of the whole training, and their mean.
    memory_mb : float
        Most memory of the process (of the GPU, where there is one), with the longest texts in one batch.
    disk_mb : float
        Most disk space of checkpoints and the model.
    device : str
        What it was measured on.
    measured : int
        Steps that were timed.
    rows : dict
        Texts to train on, to choose by, to test on.
    tokens : dict
        median, p95 and longest of a text before it is cut, and the share of texts that are cut.
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

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        return asdict(self)


def estimate_training(
    frame: pd.DataFrame,
    settings: FineTuneSettings,
    *,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainingEstimate:
    """Time some steps of a training, short and long batches, and say what the whole of it will take.

    Batches hold texts of like length, so that the time of a step depends on the length: it is measured at five
    places of their order, twice, and interpolated between them.

    Parameters
    ----------
    frame : DataFrame (n, columns)
        The table.
    settings : FineTuneSettings
        What would be done.
    report, should_stop : callable, optional
        As for `fine_tune`.

    Returns
    -------
    TrainingEstimate

    Raises
    ------
    InputError, SettingsError
        When the training itself could not begin.
    StoppedError
        When `should_stop` said so.
    """
    from core.finetune._build import build, device_of, precision_of
    from core.finetune._encode import check_length, quiet_transformers

    report, should_stop = report or silent, should_stop or (lambda: False)
    began = time.monotonic()
    report(Event("estimate", 0.0, "Splitting the table"))
    data = prepare(frame, settings)
    settings.best_metric(data.classification)
    base = resolve(settings.base_model)
    device, title = device_of()
    precision_of(settings.precision, device)
    with quiet_transformers(settings.threads):
        model, tokenizer = build(base, data.labels, settings)
        check_length(tokenizer, model.config, settings.max_length)
        loaded = time.monotonic() - began
        lengths = np.array([len(ids) for ids in tokenizer(data.texts)["input_ids"]])
        cut = np.minimum(lengths, settings.max_length)
        batches = _batches(cut[data.train], settings.train_batch_size)
        timed = _Steps(model, tokenizer, settings, device, data.classification)
        seconds = np.zeros((_REPEATS, len(_PLACES)))
        places = [round(share * (len(batches) - 1)) for share in _PLACES]
        order = data.train[np.argsort(cut[data.train], kind="stable")]
        rows = settings.train_batch_size
        timed.step(data.part(order[:rows]))  # the first allocates
        done, total = 0, seconds.size
        for repeat in range(_REPEATS):
            for number, place in enumerate(places):
                if should_stop():
                    raise StoppedError("The estimate was stopped.", "Start the training without it.")
                chosen = order[place * rows : (place + 1) * rows]
                seconds[repeat, number] = timed.step(data.part(chosen))
                done += 1
                report(Event("estimate", done / total, f"Step {done} of {total} on {title}"))
        forward = timed.forward(data.part(order[len(order) // 2 :][: settings.eval_batch_size]))
    steps, whole = _whole(batches, places, seconds, settings)
    held = settings.epochs * len(data.validation) + len(data.validation) + len(data.test)
    rest = loaded + held * forward + _REST_S
    return TrainingEstimate(
        seconds=whole[0] + rest,
        low=whole[1] + rest,
        high=whole[2] + rest,
        steps=steps,
        seconds_a_step=whole[0] / steps,
        memory_mb=_memory(device),
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


def _batches(lengths: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """Return the length of each batch of an epoch, shortest first."""
    ordered = np.sort(lengths)
    return np.array([ordered[begin : begin + rows].max() for begin in range(0, len(ordered), rows)])


def _whole(
    batches: NDArray[np.int64], places: list[int], seconds: NDArray[np.float64], settings: FineTuneSettings
) -> tuple[int, tuple[float, float, float]]:
    """Return the steps of a training, and the seconds of all batches: expected, at the fastest, at the slowest."""
    an_epoch = math.ceil(len(batches) / settings.gradient_accumulation)
    steps = settings.max_steps or settings.epochs * an_epoch
    epochs = steps / an_epoch
    every = np.arange(len(batches))
    found = [
        epochs * float(np.interp(every, places, part(seconds, axis=0)).sum()) for part in (np.mean, np.min, np.max)
    ]
    return steps, (found[0], found[1], found[2])


class _Steps:
    """Steps of a training, timed."""

    def __init__(
        self, model: Any, tokenizer: Any, settings: FineTuneSettings, device: str, classification: bool
    ) -> None:
        import torch

        self.model, self.tokenizer, self.settings, self.device = model.to(device), tokenizer, settings, device
        self.classification = classification
        trained = [part for part in model.parameters() if part.requires_grad]
        self.optimiser = torch.optim.AdamW(trained, 0.0)

    def _encoded(self, texts: list[str]) -> Any:
        return self.tokenizer(
            texts, padding=True, truncation=True, max_length=self.settings.max_length, return_tensors="pt"
        ).to(self.device)

    def _wait(self) -> None:
        import torch

        if self.device == "cuda":
            torch.cuda.synchronize()

    def step(self, texts: list[str]) -> float:
        """Return the seconds of one batch, forth and back."""
        import torch

        inputs = self._encoded(texts)
        kind = torch.long if self.classification else torch.float32
        labels = torch.zeros(len(texts), dtype=kind, device=self.device)
        self.model.train()
        self._wait()
        began = time.perf_counter()
        self.model(**inputs, labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self._wait()
        return time.perf_counter() - began

    def forward(self, texts: list[str]) -> float:
        """Return the seconds a text of an evaluation."""
        import torch

        inputs = self._encoded(texts)
        self.model.eval()
        began = time.perf_counter()
        with torch.inference_mode():
            self.model(**inputs)
        self._wait()
        return (time.perf_counter() - began) / len(texts)


def _memory(device: str) -> float:
    import torch

    if device == "cuda":
        return torch.cuda.max_memory_reserved() / 2**20
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)
