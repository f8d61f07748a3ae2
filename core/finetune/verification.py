"""The proof that what is saved is what was trained: it is loaded anew, and answers as the trainer's evaluation did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import TrainingError
from core.finetune.checkpoints import TrainingFolder
from core.finetune.encode import Text, encode_for_training, text_model_outputs
from core.finetune.settings import FineTuneSettings

__all__ = ["TOLERANCE", "check_saved"]

TOLERANCE = 1e-5
"""Largest difference of a probability, or of a number in units of its spread, that counts as equal."""
_FP16_ROUNDING = 2.0**-8
"""The same, in the mean, of a training in fp16: it is evaluated in fp16, and saved in float32."""


def check_saved(
    folder: TrainingFolder,
    step: int,
    texts: Sequence[Text],
    settings: FineTuneSettings,
    precision: str,
    unit: float | None,
) -> None:
    """Load the model in ``folder.model`` and compare its answers with those of the evaluation at a step.

    Parameters
    ----------
    folder : TrainingFolder
        The folder, with the evaluation that it kept.
    step : int
        The step whose weights were saved.
    texts : sequence of str or of (str, str)
        The validation texts, or pairs of them, in the order in which they were evaluated.
    settings : FineTuneSettings
        The settings of the training.
    precision : str
        float32, bf16 or fp16.
    unit : float or None
        Spread of the numbers to predict; None for classes and labels.

    Raises
    ------
    TrainingError
        When the answers differ: the weights were not saved, or not loaded, as they were trained.
    """
    expected = folder.evaluation(step)
    if expected is None:  # the evaluation was made by an earlier version
        return
    from core.finetune.loading import load_text_model

    model, tokenizer = load_text_model(folder.model)
    encoded = encode_for_training(model, tokenizer, texts, settings.max_length)
    saved = text_model_outputs(model, tokenizer, encoded, settings.eval_batch_size)
    difference = _distance(saved, expected, unit, precision)
    tolerance = _FP16_ROUNDING if precision == "fp16" else TOLERANCE
    if not difference <= tolerance:
        raise TrainingError(
            f"The saved model does not answer as it did at step {step:,}: a validation text's answer differs by "
            f"{difference:.2g}, and {tolerance:.2g} is allowed.",
            "Choose another base model, or train without LoRA; the checkpoints are kept, and the log has the details.",
        )


def _distance(saved: NDArray[np.float64], expected: NDArray[np.float64], unit: float | None, precision: str) -> float:
    """Return the largest difference, or the mean one of fp16; infinite where shapes differ."""
    if saved.shape != expected.shape:
        return float("inf")
    differences = np.abs(saved - expected)
    if unit is not None:
        # A number far from 0 has fewer digits behind the point than its spread asks for.
        digits = 8 * np.finfo(np.float32).eps * np.abs(expected)
        differences = np.maximum(differences - digits, 0.0) / unit
    return float(differences.mean() if precision == "fp16" else differences.max())
