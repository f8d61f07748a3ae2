"""How long a training takes, by an earlier one of the same texts: known before anything is measured."""

from __future__ import annotations

from core.finetune.settings import FineTuneSettings
from core.finetune.summary import FineTuneSummary

__all__ = ["seconds_by_earlier"]

_SAME = (
    "text_column",
    "second_text_column",
    "base_model",
    "max_length",
    "train_batch_size",
    "lora",
    "freeze_layers",
    "few_shot",
    "adaptation_epochs",
    "precision",
    "threads",
    "validation_fraction",
    "test_fraction",
)


def seconds_by_earlier(settings: FineTuneSettings, earlier: FineTuneSummary) -> float | None:
    """Return the expected duration of a training; None where the earlier one says nothing of it.

    The steps take as long as those of the earlier one did, per text; all else (loading, evaluating, testing) takes as
    long as it took.

    Parameters
    ----------
    settings : FineTuneSettings
        The settings of the training.
    earlier : FineTuneSummary
        Result of an earlier training on the same table.

    Returns
    -------
    float or None
        Seconds, of an attempt that is not interrupted.
    """
    before = earlier.settings
    if any(getattr(settings, name) != getattr(before, name) for name in _SAME) or settings.few_shot:
        return None
    rows, rate = earlier.rows["train"], earlier.samples_a_second
    if not rows or rate <= 0:
        return None
    done = min(
        earlier.training["steps"] * settings.train_batch_size * before.gradient_accumulation, rows * before.epochs
    )
    rest = max(earlier.elapsed_s - done / rate, 0.0)
    read = settings.epochs * rows
    if settings.max_steps is not None:
        read = min(read, settings.max_steps * settings.train_batch_size * settings.gradient_accumulation)
    return read / rate + rest
