"""What to try next when a model is not clearly better than words alone, from what its training has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from core.evaluation import METRICS
from core.finetune.few_shot import FEW_TEXTS
from core.finetune.summary import FineTuneSummary
from core.label_cells import MULTILABEL

__all__ = ["Advice", "next_tries"]

_HIGHEST_RATE = 1e-3
_LONGEST = 512
_MOST_EPOCHS = 20
_FEW_TEXTS = 1_000
_MUCH_CUT = 0.1


@dataclass(frozen=True)
class Advice:
    """Something to try.

    Parameters
    ----------
    title : str
        Thing to do, as a heading.
    reason : str
        Sentence: what speaks for it.
    changes : mapping
        Settings to change; empty where another training would not help.
    """

    title: str
    reason: str
    changes: Mapping[str, JsonValue]


def next_tries(summary: FineTuneSummary) -> list[Advice]:
    """Return what to try, the most promising first; nothing where the model is clearly better than words alone.

    Parameters
    ----------
    summary : FineTuneSummary
        The result of a training.
    """
    gain = summary.differences.get("tfidf")
    if gain is None or (gain.low is not None and gain.low > 0):
        return []
    tries = [
        _pairs(summary),
        _epochs(summary),
        _rate(summary),
        _weights(summary),
        _length(summary),
        _unlabeled(summary),
        _texts(summary),
    ]
    return [advice for advice in tries if advice is not None]


def _evaluations(summary: FineTuneSummary) -> list[tuple[int, float]]:
    """Return step and validation metric of each evaluation."""
    values = [(line.get("step", 0), line.get(summary.metric)) for line in summary.history]
    return [(step, float(value)) for step, value in values if isinstance(value, int | float)]


def _epochs(summary: FineTuneSummary) -> Advice | None:
    settings, evaluated = summary.settings, _evaluations(summary)
    if len(evaluated) < 2 or settings.max_steps is not None:
        return None
    best = summary.training["best_step"]
    if best != evaluated[-1][0] or settings.epochs >= _MOST_EPOCHS:
        return None
    epochs = min(2 * settings.epochs, _MOST_EPOCHS)
    return Advice(
        f"Train {epochs} epochs",
        f"The last of the {len(evaluated)} epochs was the best by {METRICS[summary.metric].title}: it still learned.",
        {"epochs": epochs},
    )


def _rate(summary: FineTuneSummary) -> Advice | None:
    settings, evaluated = summary.settings, _evaluations(summary)
    if settings.lora is not None and settings.learning_rate < 2e-4:
        return Advice(
            f"Learning rate {10 * settings.learning_rate:g}",
            f"Adapters of LoRA learn little at {settings.learning_rate:g}: they need about ten times as much.",
            {"learning_rate": 10 * settings.learning_rate},
        )
    losses = [loss for loss in (line.get("loss") for line in summary.history) if loss is not None]
    rate = min(3 * settings.learning_rate, _HIGHEST_RATE)
    if len(losses) >= 4 and losses[-1] > 0.9 * losses[0] and rate > settings.learning_rate:
        fell = "hardly fell" if losses[-1] < losses[0] else "did not fall"
        return Advice(
            f"Learning rate {rate:g}",
            f"The training loss {fell}: {losses[0]:.3f} at first, {losses[-1]:.3f} at the end.",
            {"learning_rate": rate},
        )
    if len(evaluated) >= 3 and summary.training["best_step"] == evaluated[0][0]:
        rate = settings.learning_rate / 2
        return Advice(
            f"Learning rate {rate:g}",
            "The first epoch was the best: the later ones learned the training texts by heart.",
            {"learning_rate": rate},
        )
    return None


def _weights(summary: FineTuneSummary) -> Advice | None:
    settings = summary.settings
    if settings.lora is None and not settings.freeze_layers:
        return None
    part = "Only adapters were trained" if settings.lora is not None else "Layers were frozen"
    return Advice(
        "Train all weights",
        f"{part}: {summary.training['trainable']:,} weights. All of them learn more, and take more time and memory.",
        {"lora": None, "freeze_layers": 0, "learning_rate": min(settings.learning_rate, 5e-5)},
    )


def _length(summary: FineTuneSummary) -> Advice | None:
    cut = next((finding for finding in summary.findings if finding.check == "truncated_text"), None)
    value = None if cut is None else cut.values.get("share")
    share = float(value) if isinstance(value, int | float) else 0.0
    length = min(2 * summary.settings.max_length, _LONGEST)
    if share < _MUCH_CUT or length <= summary.settings.max_length:
        return None
    return Advice(
        f"Read {length} tokens of a text",
        f"{share:.0%} of the texts are longer than {summary.settings.max_length} tokens.",
        {"max_length": length},
    )


def _pairs(summary: FineTuneSummary) -> Advice | None:
    settings = summary.settings
    if summary.labels is None or settings.few_shot or settings.lora is not None or summary.task == MULTILABEL:
        return None
    per_class = summary.rows["train"] / len(summary.labels)
    if per_class >= FEW_TEXTS:
        return None
    return Advice(
        "Learn from pairs of few texts",
        f"It had {per_class:.0f} texts per class: pairs of them teach more than their labels alone.",
        {"few_shot": True},
    )


def _unlabeled(summary: FineTuneSummary) -> Advice | None:
    left_out = next((finding for finding in summary.findings if finding.check == "missing_label"), None)
    value = None if left_out is None else left_out.values.get("rows")
    count = int(value) if isinstance(value, int | float) else 0
    if count < summary.rows["train"] or summary.settings.adaptation_epochs:
        return None
    return Advice(
        f"Read the {count:,} texts without a label first",
        "The base model learns their words before it is trained (adaptation, by masked words).",
        {"adaptation_epochs": 1},
    )


def _texts(summary: FineTuneSummary) -> Advice | None:
    rows = summary.rows["train"]
    if rows >= _FEW_TEXTS:
        return None
    return Advice(
        "Label more texts",
        f"It learned from {rows:,} texts. Words alone need few; a language model gains more from each further one.",
        {},
    )
